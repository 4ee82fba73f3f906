package survey

// Person is a customer, known by an external id or else by an address.
type Person struct {
	ID          ID         `json:"id"`
	ExternalID  string     `json:"external_id,omitempty"`
	Email       string     `json:"email,omitempty"`
	Name        string     `json:"name,omitempty"`
	Locale      string     `json:"locale,omitempty"`
	Timezone    string     `json:"timezone,omitempty"`
	Attributes  Attributes `json:"attributes"`
	LastAskedAt *Instant   `json:"last_asked_at"`
	CreatedAt   Instant    `json:"created_at"`
	UpdatedAt   Instant    `json:"updated_at"`
}

// Customer is a person as a company's system names them in a request.
type Customer struct {
	ExternalID string  `json:"external_id,omitempty"`
	Email      *string `json:"email,omitempty"`
	Name       string  `json:"name,omitempty"`
	Locale     string  `json:"locale,omitempty"`
	Timezone   string  `json:"timezone,omitempty"`
}

// Known is true where the customer can be told from others.
func (c Customer) Known() bool { return c.ExternalID != "" || c.Email != nil }

// Address is the customer's mail address, "" where it is not known.
func (c Customer) Address() string {
	if c.Email == nil {
		return ""
	}
	return *c.Email
}

// Clean brings the customer into the form that koe keeps; problems are noted
// under field ("customer"). An address that is there and empty is a mistake
// of the sender's and refused; other empty texts mean "not known".
func (c *Customer) Clean(p *Problems, field string) {
	c.ExternalID = Line(p, field+".external_id", c.ExternalID, 255)
	c.Name = Line(p, field+".name", c.Name, 200)
	if c.Email != nil {
		address, err := NormalizeAddress(*c.Email)
		if err != nil {
			p.Add(field+".email", "format", "%s", err)
		} else {
			c.Email = &address
		}
	}
	if c.Locale != "" {
		locale, err := ParseLocale(c.Locale)
		if err != nil {
			p.Add(field+".locale", "format", "%s", err)
		} else {
			c.Locale = locale
		}
	}
	if c.Timezone != "" {
		if _, err := LoadZone(c.Timezone); err != nil {
			p.Add(field+".timezone", "format", "%s", err)
		}
	}
}

// SuppressionReason says why an address is never asked.
type SuppressionReason string

// The reasons for a suppression.
const (
	Unsubscribed SuppressionReason = "unsubscribed"
	Bounced      SuppressionReason = "bounced"
	Complained   SuppressionReason = "complained"
	ByHand       SuppressionReason = "manual"
)

// Suppression is an address that is never asked until it is lifted.
type Suppression struct {
	ID        ID                `json:"id"`
	Email     string            `json:"email"`
	Reason    SuppressionReason `json:"reason"`
	CreatedAt Instant           `json:"created_at"`
}
