package demo

import (
	"strconv"
	"strings"
)

// words are sentences by mood. {agent}, {minutes}, {days}, {item} and {number}
// are filled; what is about nothing special is under "".
type words map[string][3][]string

// comment is one sentence or two about what happened, in the customer's words.
func (y *year) comment(p *place, c *customer, o occasion, m mood) string {
	book := map[string]words{"en": english, "ja": japanese, "de": german}[c.Locale]
	subject := p.Key
	switch {
	case o.trouble && m != good:
		subject = "new_checkout"
	case o.arrival == "damaged" && m != good:
		subject = "damaged"
	case p.template == "support":
		subject = "support"
	}
	text := y.sentence(book[subject][m], c, o)
	if general := book[""][m]; y.Float64() < 0.35 && len(general) > 0 {
		space := " "
		if c.Locale == "ja" {
			space = ""
		}
		text += space + y.sentence(general, c, o)
	}
	return text
}

func (y *year) sentence(from []string, c *customer, o occasion) string {
	one := func(list []string) string { return list[y.IntN(len(list))] }
	agent := o.about["agent"]
	items := map[string][]string{
		"en": {"desk lamp", "oak shelf", "kettle", "duvet", "bread knife", "armchair", "rice cooker", "mirror"},
		"ja": {"デスクライト", "本棚", "やかん", "羽毛布団", "包丁", "ソファ", "炊飯器", "鏡"},
		"de": {"Schreibtischlampe", "Kommode", "Kaffeemühle", "Bettdecke", "Pfanne", "Garderobe", "Vase"},
	}[c.Locale]
	return strings.NewReplacer("{agent}", agent, "{minutes}", strconv.Itoa(5*(3+y.IntN(10))), "{days}", strconv.Itoa(2+y.IntN(6)),
		"{item}", one(items), "{number}", strconv.Itoa(2+y.IntN(4))).Replace(one(from))
}

var english = words{
	"": {
		bad:   {"Not what I expect from you.", "I will look elsewhere next time.", "Please fix this.", "This is the second time this year 😞", "Nobody has come back to me since."},
		mixed: {"Otherwise fine.", "Could be better.", "It is OK for the price.", "Still, no disaster."},
		good:  {"Thank you!", "Keep it up 👍", "Will order again.", "Much better than the shop I used before.", "10/10"},
	},
	"delivery": {
		bad: {"The {item} came {days} days late and nobody told me why.", "Tracking said delivered, but it was not. I waited {days} more days.",
			"The driver did not ring; I had to fetch the {item} from a depot.", "Promised for Tuesday, arrived {days} days later."},
		mixed: {"Parcel was fine, but the time window of {number} hours is too wide.", "The {item} arrived on the day, the box a bit dented.", "Came a day late, at least I got a message."},
		good:  {"On time, and the {item} was wrapped with care.", "Faster than promised.", "The driver carried the {item} up {number} floors. Wonderful.", "Exactly in the hour that was announced."},
	},
	"damaged": {
		bad:   {"The {item} was broken when I opened the box.", "Scratches all over the {item}.", "The box was crushed and the {item} inside in pieces."},
		mixed: {"A small crack in the {item}; the replacement came after {days} days."},
		good:  {"The {item} was damaged, but the replacement came at once."},
	},
	"support": {
		bad: {"Waited {minutes} minutes, and {agent} could not help.", "{agent} read from a script and did not listen.", "I explained it {number} times. Still not solved.",
			"{agent} said \"call back tomorrow\", twice.", "Cut off after {minutes} minutes in the queue."},
		mixed: {"{agent} was friendly, but it took {minutes} minutes.", "Solved in the end, after {number} tries.", "Polite, but I had to find the answer myself."},
		good:  {"{agent} understood at once and solved it.", "{agent} was patient and kind.", "Two minutes and it was done. Thanks, {agent}!", "{agent} even called me back to ask if the {item} works now."},
	},
	"checkout": {
		bad:   {"It forgot my address {number} times.", "Could not find where to choose the delivery day.", "I had to sign in again in the middle of it."},
		mixed: {"Works, but too many steps.", "Fine on the laptop, small buttons on the phone."},
		good:  {"Done in {number} clicks.", "Easy, even on the train.", "Found the {item}, paid, finished. As it should be."},
	},
	"new_checkout": {
		bad: {"The new payment page hung {number} times before it took my card.", "Since you changed the checkout my card is refused on the phone.", "Payment failed, my basket was empty, I had to start again.",
			"Bring the old checkout back!", "The pay button is hidden behind the keyboard on my phone."},
		mixed: {"It worked at the second try; the old checkout was easier.", "Paying took {minutes} minutes."},
		good:  {"Got used to it."},
	},
	"relationship": {
		bad:   {"Prices went up and the quality did not.", "The {item} lasted {number} months.", "Too much mail from you, too little help when I need it."},
		mixed: {"Nice things, but the delivery costs keep me from ordering more often.", "Good quality; the range has become smaller.", "I like the shop, support is hit and miss."},
		good:  {"Beautiful things that last. I gave the {item} to {number} friends.", "Honest descriptions, and what I order is what I get.", "You answer when something goes wrong, that is rare."},
	},
	"app": {
		bad:   {"Crashes when I open the basket.", "Logged out every {days} days.", "The search finds everything but the {item}."},
		mixed: {"Looks good, is slow on my old phone.", "Please add a dark mode."},
		good:  {"The room preview with the {item} is great.", "Simple and quick.", "Best shopping app that I have."},
	},
	"billing": {
		bad:   {"The invoice had the wrong address and I cannot change it myself.", "Charged twice, refunded after {days} days.", "I looked for the invoice for {minutes} minutes."},
		mixed: {"The PDF is fine, finding it is not.", "Would be easier with one invoice a month."},
		good:  {"Invoice by mail, paid in a minute.", "Clear and simple."},
	},
	"showroom": {
		bad:   {"Waited {minutes} minutes for somebody to talk to.", "The {item} that I came for was not on display."},
		mixed: {"Lovely place, a bit crowded.", "Nice, but the lift was out of order."},
		good:  {"Could try the {item} in peace.", "Great advice, and coffee too ☕"},
	},
}

var german = words{
	"": {bad: {"So nicht.", "Das ist schon das zweite Mal.", "Schade."}, mixed: {"Sonst in Ordnung."}, good: {"Vielen Dank!", "Gerne wieder.", "Weiter so 👍"}},
	"delivery": {
		bad:   {"{item} kam {days} Tage zu spät – ärgerlich.", "Der Fahrer hat nicht geklingelt."},
		mixed: {"Pünktlich, aber der Karton war eingedrückt."},
		good:  {"Schneller als versprochen.", "Sehr gut verpackt, alles heil."},
	},
	"damaged":      {bad: {"{item}: beim Auspacken schon kaputt.", "Kratzer überall."}, mixed: {"Ein kleiner Riss, Ersatz kam nach {days} Tagen."}, good: {"Ersatz kam sofort."}},
	"support":      {bad: {"{minutes} Minuten gewartet, {agent} konnte nicht helfen.", "Ich musste alles {number}-mal erklären."}, mixed: {"{agent} war nett, es hat aber gedauert."}, good: {"Sehr gute Beratung durch {agent}.", "{agent} hat sofort verstanden, worum es ging."}},
	"checkout":     {bad: {"Zu viele Schritte, und die Adresse war weg."}, mixed: {"Geht, könnte kürzer sein."}, good: {"In {number} Klicks fertig.", "Einfach und klar."}},
	"new_checkout": {bad: {"Die neue Bezahlseite hing {number}-mal.", "Auf dem Handy lässt sich nicht mehr bezahlen."}, mixed: {"Beim zweiten Versuch ging es."}, good: {"Man gewöhnt sich daran."}},
	"relationship": {bad: {"Teurer geworden, aber nicht besser.", "Größe falsch, Rückgabe mühsam."}, mixed: {"Schöne Sachen, hohe Versandkosten."}, good: {"Gute Qualität seit Jahren.", "Ehrlich und zuverlässig."}},
	"app":          {bad: {"Stürzt ab, sobald ich bezahlen will."}, mixed: {"Passt, ist aber langsam."}, good: {"Übersichtlich und schnell."}},
	"billing":      {bad: {"Falsche Adresse auf der Rechnung."}, mixed: {"Rechnung gefunden, aber erst nach Suchen."}, good: {"Alles klar und einfach."}},
	"showroom":     {bad: {"{minutes} Minuten auf Beratung gewartet."}, mixed: {"Schön, aber voll."}, good: {"Tolle Beratung vor Ort."}},
}
