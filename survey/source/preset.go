package source

import (
	"maps"
	"slices"

	"koe/survey"
)

// Generic is the preset of tools that post an interaction as koe reads one.
const Generic = "generic"

// presets are ready mappings, by name.
func presets() map[string]Source {
	return map[string]Source{
		Generic: {Signature: Unsigned, Mapping: &Mapping{
			Touchpoint: "touchpoint", ExternalID: "external_id | id", OccurredAt: "occurred_at",
			Customer: CustomerMapping{ExternalID: "customer.external_id", Email: "customer.email | email", Name: "customer.name | name",
				Locale: "customer.locale | locale", Timezone: "customer.timezone | timezone"},
			Attributes: map[string]string{everyMember: "attributes"},
		}},
		// a webhook that a trigger calls with the body of docs/sources.md, or one
		// that is subscribed to "ticket status changed", which names no address
		"zendesk": {Signature: Zendesk, Condition: Condition{"ticket.status | detail.status": words("solved", "closed")}, Mapping: &Mapping{
			ExternalID: "ticket.id | detail.id", OccurredAt: "time",
			Customer: CustomerMapping{ExternalID: "ticket.requester.external_id", Email: "ticket.requester.email", Name: "ticket.requester.name",
				Locale: "ticket.requester.locale"},
			Attributes: map[string]string{"agent": "ticket.assignee", "group": "ticket.group", "channel": "ticket.via | detail.via.channel",
				"priority": "ticket.priority | detail.priority"},
		}},
		// the topic conversation.admin.closed, in the shapes of the API's versions 1 and 2;
		// who began the conversation may be an admin, who is not asked
		"intercom": {Signature: Intercom, Condition: Condition{"topic": words("conversation.admin.closed")}, Mapping: &Mapping{
			ExternalID: "data.item.id", OccurredAt: "created_at",
			Customer: CustomerMapping{
				ExternalID: "data.item.user.user_id | data.item.contacts.contacts[0].external_id",
				Email:      "data.item.user.email | data.item.contacts.contacts[0].email | data.item.source.author[type=user].email | data.item.source.author[type=lead].email",
				Name:       "data.item.user.name | data.item.contacts.contacts[0].name | data.item.source.author[type=user].name | data.item.source.author[type=lead].name"},
			Attributes: map[string]string{"agent": "data.item.assignee.name", "channel": "data.item.source.type"},
		}},
		// an app's subscription to the property hs_pipeline_stage of tickets; 4 is
		// "closed" in the pipeline that every account begins with
		"hubspot": {Signature: HubSpot, Condition: Condition{"subscriptionType": words("ticket.propertyChange"),
			"propertyName": words("hs_pipeline_stage"), "propertyValue": words("4")}, Mapping: &Mapping{
			ExternalID: "objectId", OccurredAt: "occurredAt",
			Attributes: map[string]string{"stage": "propertyValue"},
		}},
		// a ticket workflow's webhook, whose body names the contact
		"hubspot-workflow": {Signature: HubSpot, Condition: Condition{"hs_pipeline_stage": words("4")}, Mapping: &Mapping{
			ExternalID: "hs_object_id | hs_ticket_id",
			Customer:   CustomerMapping{Email: "email", Name: "firstname"},
			Attributes: map[string]string{"stage": "hs_pipeline_stage", "agent": "hubspot_owner_id", "priority": "hs_ticket_priority"},
		}},
		// the topic orders/fulfilled
		"shopify": {Signature: Shopify, Condition: Condition{"fulfillment_status": words("fulfilled")}, Mapping: &Mapping{
			ExternalID: "id",
			Customer: CustomerMapping{Email: "email | contact_email | customer.email", Name: "customer.first_name | billing_address.first_name",
				Locale: "customer_locale"},
			Attributes: map[string]string{"order": "name", "currency": "currency", "country": "shipping_address.country_code"},
		}},
	}
}

// PresetNames are the names of the ready mappings, sorted.
func PresetNames() []string { return slices.Sorted(maps.Keys(presets())) }

// fill takes from the preset what is not given; false where there is none of
// that name.
func (s *Source) fill() bool {
	preset, known := presets()[s.Preset]
	if !known {
		return false
	}
	if s.Mapping == nil {
		s.Mapping = preset.Mapping
	}
	if s.Condition == nil {
		s.Condition = preset.Condition
	}
	if s.Condition == nil {
		s.Condition = Condition{}
	}
	if s.Signature == "" {
		s.Signature = preset.Signature
	}
	return true
}

func words(all ...string) survey.Values {
	values := make(survey.Values, len(all))
	for i, one := range all {
		values[i] = survey.TextValue(one)
	}
	return values
}
