package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"koe/client"
)

// From nothing to a score: a survey, an interaction, answers of before.
func Example() {
	ctx := context.Background()
	address, key, stop := running() // yours: "https://feedback.example.com" and a key
	defer stop()
	koe := client.New(address, key)

	survey, err := koe.PutSurvey(ctx, "chat", nil, client.PutSurveyJSONRequestBody{
		Name:       "After support chat",
		Template:   "csat",
		Touchpoint: "support_chat",
		Channel:    client.ChannelLink,
		Trigger:    client.Trigger{Type: client.TriggerTypeInteraction},
		Segments:   []string{"agent"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err = koe.ActivateSurvey(ctx, survey.Id, nil); err != nil {
		fmt.Println(err)
		return
	}

	receipt, err := koe.CreateInteraction(ctx, &client.CreateInteractionParams{IdempotencyKey: new("chat-8841")}, client.InteractionInput{
		Touchpoint: "support_chat",
		ExternalId: new("chat-8841"),
		Customer:   &client.Customer{Email: new("ana@example.com"), Name: new("Ana")},
		Attributes: client.AttributesInput{"agent": "Kim", "minutes": 12},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, decision := range receipt.Decisions {
		fmt.Println(decision.Decision, strings.HasPrefix(*decision.Url, "https://"))
	}

	report, err := koe.ImportResponses(ctx, &client.ImportResponsesParams{Survey: "chat"}, "text/csv",
		strings.NewReader("external_id,score,attributes.agent\n1,5,Kim\n2,4,Kim\n3,2,Lee\n4,5,Kim\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	scores, err := koe.ShowScores(ctx, &client.ShowScoresParams{Touchpoint: new("support_chat"), Attributes: client.FilterSegments{"agent": "Kim"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d imported; of Kim %d answers, CSAT %.1f\n", report.Accepted, scores.Total.Responses, *scores.Total.Score)

	_, err = koe.CreateResponse(ctx, nil, client.ResponseInput{SurveyId: survey.Id, Score: 11})
	var refused *client.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Status, refused.Errors[0].Field, refused.Errors[0].Code)
	}
	// Output:
	// scheduled true
	// 4 imported; of Kim 3 answers, CSAT 100.0
	// 422 score range
}
