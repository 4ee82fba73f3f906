package main

import (
	"debug/elf"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.yaml.in/yaml/v3"
)

// dockerfile is what the Dockerfile says: the commands that build, and what the
// image is in the end.
type dockerfile struct {
	runs  []string // of the first stage
	env   []string // NAME=VALUE
	user  string
	entry []string // with its arguments
}

// readDockerfile reads the words that koe's Dockerfile uses; any other fails.
func readDockerfile(t *testing.T) (d dockerfile) {
	t.Helper()
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	stage := 0
	for line := range strings.SplitSeq(strings.ReplaceAll(string(text), "\\\n", " "), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch rest = strings.TrimSpace(rest); word {
		case "", "#", "WORKDIR", "COPY", "EXPOSE", "VOLUME", "STOPSIGNAL":
		case "FROM":
			stage++
		case "RUN":
			if stage > 1 {
				t.Errorf("the last stage has no shell to run %q", rest)
			}
			d.runs = append(d.runs, rest)
		case "ENV":
			d.env = append(d.env, strings.Fields(rest)...)
		case "USER":
			d.user = rest
		case "ENTRYPOINT", "CMD":
			var words []string
			if err := json.Unmarshal([]byte(rest), &words); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			d.entry = append(d.entry, words...)
		default:
			t.Errorf("a Dockerfile has no %s", word)
		}
	}
	return d
}

// image builds what the Dockerfile would put into an image, into a folder.
func (d dockerfile) image(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "image")
	for _, line := range d.runs {
		shell := exec.Command("sh", "-ec", strings.ReplaceAll(line, "/image", folder))
		if out, err := shell.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	return folder
}

// There is no engine here to build an image with, so the commands of the
// Dockerfile are run without one, and what they make is started as the image
// would start it: alone in its root, as its user.
func TestTheImageServes(t *testing.T) {
	d := readDockerfile(t)
	folder := d.image(t)
	program, err := elf.Open(filepath.Join(folder, "koe"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = program.Close() }()
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			t.Error("the program is not static: an empty image cannot start it")
		}
	}
	user, err := strconv.Atoi(strings.Split(d.user, ":")[0])
	if err != nil || user == 0 {
		t.Fatalf("USER %s", d.user)
	}
	p := d.start(t, folder, user)
	base := p.serving()
	probes := kubernetesProbes(t)
	if len(probes) != 3 {
		t.Errorf("probes %q", probes)
	}
	for _, path := range append(probes, "/healthz", "/docs") {
		if code := fetch(t, "GET", base+path); code != 200 {
			t.Errorf("%s: %d", path, code)
		}
	}
	p.stop()
	for _, kept := range []string{"data/koe.db", "data/koe.db.secret"} {
		if _, err := os.Stat(filepath.Join(folder, kept)); err != nil {
			t.Errorf("not on the volume: %v", err)
		}
	}
}

// start runs what the image would, where root allows it as its user in its root.
func (d dockerfile) start(t *testing.T, folder string, user int) *process {
	t.Helper()
	cmd := exec.Command(d.entry[0], d.entry[1:]...)
	cmd.Env = append(slices.Clone(d.env), "KOE_LISTEN=127.0.0.1:0")
	if os.Getuid() != 0 {
		cmd.Path, cmd.Err, cmd.Dir = filepath.Join(folder, d.entry[0]), nil, filepath.Join(folder, "data")
		cmd.Env = append(cmd.Env, "KOE_DATABASE_URL=sqlite:koe.db")
		return begin(t, cmd)
	}
	for _, own := range []string{"data", "tmp"} {
		if err := os.Chown(filepath.Join(folder, own), user, user); err != nil {
			t.Fatal(err)
		}
	}
	id := uint32(user)
	cmd.Dir = "/data"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: folder, Credential: &syscall.Credential{Uid: id, Gid: id}}
	return begin(t, cmd)
}

// kubernetesProbes are the paths that the example asks.
func kubernetesProbes(t *testing.T) (paths []string) {
	t.Helper()
	file, err := os.Open("deploy/kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	type probe struct {
		HTTPGet struct{ Path string } `yaml:"httpGet"`
	}
	kinds := []string{}
	for docs := yaml.NewDecoder(file); ; {
		var doc struct {
			APIVersion string `yaml:"apiVersion"`
			Kind       string
			Spec       struct {
				Template struct {
					Spec struct {
						SecurityContext struct {
							RunAsUser int `yaml:"runAsUser"`
						} `yaml:"securityContext"`
						Containers []struct {
							Startup   probe `yaml:"startupProbe"`
							Readiness probe `yaml:"readinessProbe"`
							Liveness  probe `yaml:"livenessProbe"`
						}
					}
				}
			}
		}
		if err := docs.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, doc.Kind)
		pod := doc.Spec.Template.Spec
		if user := readDockerfile(t).user; doc.Kind == "Deployment" && user != strconv.Itoa(pod.SecurityContext.RunAsUser)+":"+strconv.Itoa(pod.SecurityContext.RunAsUser) {
			t.Errorf("the pod runs as %d, the image as %s", pod.SecurityContext.RunAsUser, user)
		}
		for _, c := range pod.Containers {
			paths = append(paths, c.Startup.HTTPGet.Path, c.Readiness.HTTPGet.Path, c.Liveness.HTTPGet.Path)
		}
	}
	if want := []string{"ConfigMap", "Deployment", "Service", "PodDisruptionBudget"}; !slices.Equal(kinds, want) {
		t.Errorf("kinds %q, want %q", kinds, want)
	}
	return paths
}

// What the examples set is what koe reads: a name that it does not know stops
// its start.
func TestDeploymentsSetWhatKoeKnows(t *testing.T) {
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	ask := exec.Command(binary, "serve", "--help")
	ask.Env = []string{"PATH=" + os.Getenv("PATH")}
	help, err := ask.Output()
	if err != nil {
		t.Fatal(err)
	}
	usage := string(help)
	for _, name := range []string{"Dockerfile", "compose.yaml", "deploy/koe.service", "deploy/kubernetes.yaml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`KOE_[A-Z_]+`).FindAllString(string(text), -1)
		if len(found) == 0 {
			t.Errorf("%s sets nothing", name)
		}
		for _, variable := range found {
			flag := "--" + strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(variable, "KOE_")), "_", "-")
			if !strings.Contains(usage, variable) && !strings.Contains(usage, flag+"=") {
				t.Errorf("%s sets %s, which koe does not know", name, variable)
			}
		}
	}
}

func TestComposeIsWhole(t *testing.T) {
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Image       string
			Environment map[string]string
			DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
			Healthcheck struct{ Test []string }
			Volumes     []string
		}
		Volumes map[string]any
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	koe, postgres := file.Services["koe"], file.Services["postgres"]
	if koe.DependsOn["postgres"].Condition != "service_healthy" || len(postgres.Healthcheck.Test) == 0 {
		t.Error("koe does not wait for its database")
	}
	for _, secret := range []string{koe.Environment["KOE_SECRET"], koe.Environment["KOE_DATABASE_URL"], postgres.Environment["POSTGRES_PASSWORD"]} {
		if !regexp.MustCompile(`\$\{\w+:\?`).MatchString(secret) {
			t.Errorf("a secret that stands in the file, or may be empty: %q", secret)
		}
	}
	for _, volume := range postgres.Volumes {
		if _, declared := file.Volumes[strings.Split(volume, ":")[0]]; !declared {
			t.Errorf("volume %s", volume)
		}
	}
}

func TestTheUnitIsWellFormed(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	text, err := os.ReadFile("deploy/koe.service")
	if err != nil {
		t.Fatal(err)
	}
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "koe.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), "/usr/local/bin/koe", binary)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}
