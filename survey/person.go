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

// Clean brings a person into the form that koe keeps; problems are noted under
// the names of the fields ("email"). now bounds LastAskedAt.
func (v *Person) Clean(p *Problems, now Instant) {
	c := Customer{ExternalID: v.ExternalID, Name: v.Name, Locale: v.Locale, Timezone: v.Timezone}
	if v.Email != "" {
		c.Email = &v.Email
	}
	c.clean(p, "")
	v.ExternalID, v.Email, v.Name, v.Locale = c.ExternalID, c.Address(), c.Name, c.Locale
	v.Attributes = v.Attributes.Clean(p, "attributes")
	if v.LastAskedAt != nil && *v.LastAskedAt > now.Add(maxAhead) {
		p.Add("last_asked_at", "range", "must not lie more than a day ahead")
	}
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
func (c *Customer) Clean(p *Problems, field string) { c.clean(p, field+".") }

func (c *Customer) clean(p *Problems, prefix string) {
	c.ExternalID = Line(p, prefix+"external_id", c.ExternalID, 255)
	c.Name = Line(p, prefix+"name", c.Name, 200)
	if c.Email != nil {
		address, err := NormalizeAddress(*c.Email)
		if err != nil {
			p.Add(prefix+"email", "format", "%s", err)
		} else {
			c.Email = &address
		}
	}
	if c.Locale != "" {
		locale, err := ParseLocale(c.Locale)
		if err != nil {
			p.Add(prefix+"locale", "format", "%s", err)
		} else {
			c.Locale = locale
		}
	}
	if c.Timezone != "" {
		if _, err := LoadZone(c.Timezone); err != nil {
			p.Add(prefix+"timezone", "format", "%s", err)
		}
	}
}

// SuppressionReason says why an address is never asked.
type SuppressionReason string

// Outweighs is true for what somebody said themselves over what a server or an
// editor said: who opted out stays out where a bounce is lifted.
func (r SuppressionReason) Outweighs(other SuppressionReason) bool {
	return (r == Unsubscribed || r == Complained) && (other == Bounced || other == ByHand)
}

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
