# Everything that a developer does here, by name. `make` lists it.

LINT_VERSION = v2.15.0
LINT = .bin/golangci-lint-$(LINT_VERSION)
MUTATE_VERSION = v0.6.0
MUTATE = .bin/gremlins-$(MUTATE_VERSION)
GENERATE_VERSION = v2.8.2
GENERATE = .bin/oapi-codegen-$(GENERATE_VERSION)
AXE_VERSION = 4.14.1
AXE = .bin/axe-core-$(AXE_VERSION).js
VNU_VERSION = 26.9.27
VNU = .bin/vnu-$(VNU_VERSION).jar
LIGHTHOUSE_VERSION = 13.5.0
LIGHTHOUSE = .bin/lighthouse-$(LIGHTHOUSE_VERSION)

# What `make browser-tools` has fetched, for the tests that look at pages.
ifneq ($(wildcard $(AXE)),)
export KOE_TEST_AXE ?= $(CURDIR)/$(AXE)
endif
ifneq ($(wildcard $(VNU)),)
export KOE_TEST_VNU ?= $(CURDIR)/$(VNU)
endif

# make bench BENCH_REQUESTS=6000 BENCH_ROUNDS=1 for a quick look
BENCH_REQUESTS ?= 60000
BENCH_ROUNDS ?= 3
# make bench-scores BENCH_ANSWERS=100000 for a quick look
BENCH_ANSWERS ?= 10000000
# make bench-mail BENCH_MAILS=2000 for a quick look
BENCH_MAILS ?= 20000
# make bench-pages BENCH_VISITS=2000 BENCH_ROUNDS=1 for a quick look
BENCH_VISITS ?= 20000
BENCH_CONNECTIONS ?= 64
# make bench-mail BENCH_BACKLOG=1000000 for its peak memory with a million due
BENCH_BACKLOG ?= 0
# make bench-takeover BENCH_TAKEOVER=25000 for a quick look
BENCH_TAKEOVER ?= 250000
# make fuzz FUZZ_TIME=5m for a long one; it is the time of each fuzz test
FUZZ_TIME ?= 20s
TEST_TIMEOUT ?= 27m

.DEFAULT_GOAL = help
.PHONY: help run check format vet lint test race bench bench-scores bench-mail bench-tick battery-kill battery-smtp battery-storm battery-weather cover fuzz mutate client browser-tools screenshots lighthouse bench-pages battery-rules bench-takeover bench-dashboard

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## serve on ./koe.db; the first start prints a key and the addresses
	go run .

check: format vet lint test ## all that must be green before a commit

format: ## fail where a file is not as gofmt writes it
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then \
		echo "not formatted (gofmt -w mends it):"; echo "$$unformatted"; exit 1; fi

vet: ## the compiler's own second look
	go vet ./...

lint: $(LINT) ## golangci-lint with .golangci.yml, among it who may import whom
	$(LINT) run ./...

test: ## every test; what the machine lacks is skipped and named
	go test -timeout $(TEST_TIMEOUT) ./...

race: ## every test, watched for data races; a long package first, three at once, for much of what they do is waiting
	go test -race -p 3 -timeout $(TEST_TIMEOUT) ./survey/store ./...

browser-tools: $(AXE) $(VNU) ## fetch what judges pages: axe-core, and the W3C's checker of HTML (needs npm; the checker needs Java)

screenshots: $(AXE) ## a picture of every page, language, theme and width in ./screenshots; the few of docs/dashboard.md anew
	KOE_BATTERY=full KOE_TEST_AXE=$(CURDIR)/$(AXE) KOE_TEST_SCREENSHOTS=$(CURDIR)/screenshots KOE_TEST_GUIDE_PICTURES=$(CURDIR)/docs/pictures \
		go test -count 1 -timeout 60m -run 'TestEveryPage|InABrowser|TestANewcomers|WithTheKeyboard' .

lighthouse: $(LIGHTHOUSE) ## Lighthouse's accessibility score of the page, in English, Japanese and Arabic
	KOE_TEST_LIGHTHOUSE=$(CURDIR)/$(LIGHTHOUSE)/node_modules/.bin/lighthouse go test -count 1 -v -run TestLighthouse .

bench: ## answers a second beside the floor: rates, ratio, p99, peak memory
	go run ./bench/responses -requests $(BENCH_REQUESTS) -rounds $(BENCH_ROUNDS)

bench-scores: ## imports, reports and exports with BENCH_ANSWERS answers
	go run ./bench/scores -answers $(BENCH_ANSWERS)

bench-dashboard: ## what the pages of the dashboard take on BENCH_ANSWERS answers
	go run ./bench/scores -answers $(BENCH_ANSWERS) -dashboard

battery-kill: ## 500 kills while 50,000 mails go out, on each database; then three processes over one
	KOE_BATTERY=full go test -count 1 -timeout 3h -v -run 'TestKills|TestReplicas' .

bench-mail: ## survey mails a second beside the library alone; KOE_TEST_POSTGRES_URL adds PostgreSQL
	go run ./bench/mail -mails $(BENCH_MAILS) -connections $(BENCH_CONNECTIONS) -backlog $(BENCH_BACKLOG)

bench-pages: ## pages opened and answered a second beside the floor: rates, ratio, p99, peak memory
	go run ./bench/pages -visits $(BENCH_VISITS) -rounds $(BENCH_ROUNDS) -connections $(BENCH_CONNECTIONS)

bench-tick: ## what a look for due mail costs beside 1,000 and 1,000,000 that wait for days
	go test ./survey/store -run '^$$' -bench Tick -benchtime 2s

bench-takeover: ## rows a second of `koe import delighted` beside `koe import responses`, as a ratio
	go run ./bench/takeover -answers $(BENCH_TAKEOVER)

battery-storm: ## ten scanners and a browser on a thousand links, then each link answered twenty times at once
	KOE_BATTERY=full go test -count 1 -timeout 1h -v -run 'TestScanners|TestABrowserThatOpens|TestAThousandLinksAnsweredTwenty' .

battery-rules: ## weeks of random surveys, people and answers: nobody is tired, and what is simulated happens
	KOE_BATTERY=full go test -count 1 -timeout 3h -v -run 'TestNobodyIsTired|TestWhatIsSimulatedHappens' ./survey/store ./api

battery-smtp: ## every odd mail server of the tests x 200 mails, as a table
	KOE_BATTERY=full go test ./scheduler -run TestSMTPBattery -count 1 -timeout 1h -v | grep -v '^ *\(===\|---\)'

battery-weather: ## the database away for a minute in the middle of sending: cut off, locked, its disk full
	KOE_BATTERY=full go test -count 1 -timeout 1h -v -run TestBadWeather .

cover: ## what the tests run, as coverage.html and in total
	go test -timeout $(TEST_TIMEOUT) -coverpkg=./... -coverprofile=coverage.txt ./...
	go tool cover -html=coverage.txt -o coverage.html
	go tool cover -func=coverage.txt | tail -n 1

fuzz: ## every fuzz test, FUZZ_TIME each
	@set -e; for package in $$(go list ./...); do \
		for name in $$(go test -run '^$$' -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZ_TIME) $$package; \
		done; done

mutate: $(MUTATE) ## change scoring a little, again and again: 80% must make a test fail
	$(MUTATE) unleash ./scoring --workers 1 --timeout-coefficient 10 --threshold-efficacy 80

client: $(GENERATE) ## make client/koe.gen.go of openapi.yaml
	$(GENERATE) -config client/generate.yaml openapi.yaml

# The version is in the file's name: another version is another file.
$(LINT):
	GOBIN=$(CURDIR)/.bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv .bin/golangci-lint $@

$(MUTATE):
	GOBIN=$(CURDIR)/.bin go install github.com/go-gremlins/gremlins/cmd/gremlins@$(MUTATE_VERSION)
	mv .bin/gremlins $@

$(GENERATE):
	GOBIN=$(CURDIR)/.bin go install github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@$(GENERATE_VERSION)
	mv .bin/oapi-codegen $@

# npm checks what it brings, and brings what it has had before from its cache.
NPM = --silent --prefer-offline --fetch-retries 5

$(AXE):
	mkdir -p .bin/fetched
	npm pack $(NPM) --pack-destination .bin/fetched axe-core@$(AXE_VERSION)
	tar -xzf .bin/fetched/axe-core-$(AXE_VERSION).tgz -C .bin/fetched package/axe.min.js
	mv .bin/fetched/package/axe.min.js $@
	rm -r .bin/fetched

$(VNU):
	mkdir -p .bin/fetched
	npm pack $(NPM) --pack-destination .bin/fetched vnu-jar@$(VNU_VERSION)
	tar -xzf .bin/fetched/vnu-jar-$(VNU_VERSION).tgz -C .bin/fetched package/build/dist/vnu.jar
	mv .bin/fetched/package/build/dist/vnu.jar $@
	rm -r .bin/fetched

$(LIGHTHOUSE):
	npm install --no-save --no-audit --no-fund --prefix $@ lighthouse@$(LIGHTHOUSE_VERSION)
