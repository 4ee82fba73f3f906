package main

import (
	"fmt"
	"strings"
)

// tellByAnyPath tells a running koe of people by every way on which it may ask
// somebody, and fails where it plans a mail. Their address changes last.
func (k *running) tellByAnyPath(people []string) {
	k.t.Helper()
	made := k.want(201, "PUT", "/v1/surveys/follow-on", `{"name":"Follow-on","template":"nps","touchpoint":"support_chat","channel":"email",
		"trigger":{"type":"response","survey":"shop"}}`)
	k.want(200, "POST", fmt.Sprintf("/v1/surveys/%s/activate", made["id"]), "")
	k.want(200, "POST", "/v1/surveys/shop/activate", "")
	k.manual("by-hand", "nps", `{}`) // which sends mail
	door, _ := k.want(201, "PUT", "/v1/sources/desk", `{"touchpoint":"support_chat"}`)["url"].(string)
	door = door[strings.Index(door, "/v1/"):]
	for i, address := range people {
		customer := fmt.Sprintf(`{"email":%q}`, strings.ToUpper(address))
		if d := k.chat(customer); d["decision"] != "skipped" {
			k.t.Errorf("%s: an interaction: %v", address, d)
		}
		k.want(202, "POST", door, fmt.Sprintf(`{"external_id":"t-%d","customer":%s}`, i, customer))
		if status, answer := k.do("PUT", fmt.Sprintf("/v1/people/own-%d", i), customer); status/100 != 2 { // of somebody who came from Delighted, or somebody else with the address
			k.t.Fatalf("%s: %d %v", address, status, answer)
		}
		if d := k.chat(fmt.Sprintf(`{"external_id":"own-%d"}`, i)); d["decision"] != "skipped" {
			k.t.Errorf("%s: by their own id: %v", address, d)
		}
		k.want(201, "POST", "/v1/surveys/by-hand/links", `{"links":[{"customer":`+customer+`}]}`) // handed out by somebody, mailed by nobody
		k.want(201, "POST", "/v1/responses", `{"survey_id":"shop","score":3,"customer":`+customer+`}`)
		moved := fmt.Sprintf("moved-%d@example.com", i)
		for _, body := range []string{fmt.Sprintf(`{"email":%q}`, address), fmt.Sprintf(`{"email":%q,"delay":0,"properties":{"plan":"pro"}}`, address),
			fmt.Sprintf(`{"email":%q,"email_update":%q}`, address, moved), fmt.Sprintf(`{"email":%q}`, moved)} {
			status, answer := k.do("POST", "/delighted/v1/people.json", body)
			if status/100 != 2 || answer["survey_scheduled_at"] != nil {
				k.t.Errorf("%s: %d %v", body, status, answer)
			}
		}
	}
}
