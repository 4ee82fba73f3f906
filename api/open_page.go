package api

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// showOpenPage shows the survey behind an open link to whoever comes by, with a
// fresh form. It records nothing. The browser keeps the page for its back button
// alone, so that who goes back there after an answer changes that one; a shared
// device keeps nothing.
func (a *api) showOpenPage(c echo.Context) error {
	page, err := a.Store.OpenBySlug(c.Request().Context(), param(c, "slug"))
	if err == nil && a.hasAnswered(c, page) {
		err = errAnswered
	}
	if err != nil {
		return a.openError(c, page, nil, err)
	}
	p := a.openPage(c, page)
	p.Step, p.Preselected = templates.StepScore, chosenScore(page.Template, c.QueryParam("score"))
	if p.Start == "" {
		c.Response().Header().Set("Cache-Control", "private, max-age=0")
	} else {
		leaveAlone(&p, kioskRenews)
	}
	return a.respondentPage(c, http.StatusOK, p)
}

// answerOpenPage keeps what was posted, and goes on under an address of the
// answer's own.
func (a *api) answerOpenPage(c echo.Context) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	return a.answerForm(c, form.Get(templates.FormField), form)
}

// showOpenAnswer shows where an answer by an open link stands, to whoever gave
// it. An address under which nothing was answered leads to the start.
func (a *api) showOpenAnswer(c echo.Context) error {
	page, err := a.Store.OpenForm(c.Request().Context(), param(c, "slug"), param(c, "form"))
	if is(err, survey.Invalid) || err == nil && page.Response == nil {
		query := kept(page.Link.Entrance(c.QueryParam("via")), page.Link.Told(c.QueryParams()))
		if lang := c.QueryParam("lang"); lang != "" {
			query.Set("lang", lang)
		}
		if c.QueryParams().Has(startLang) { // said to be none, too
			query.Set(startLang, c.QueryParam(startLang))
		}
		start := url.URL{Path: a.path + "/l/" + param(c, "slug"), RawQuery: query.Encode()}
		return c.Redirect(http.StatusSeeOther, start.String())
	}
	if err != nil {
		return a.openError(c, page, nil, err)
	}
	p := a.openPage(c, page)
	p.Step, p.Preselected = stepOf(page.Opened, c.QueryParams())
	if p.Start != "" {
		if p.Step == templates.StepQuestions {
			leaveAlone(&p, kioskIdle)
		} else {
			backToStart(c, p)
		}
	}
	return a.respondentPage(c, http.StatusOK, p)
}

// changeOpenAnswer goes on with an answer by an open link, or gives it: a form
// in what was posted is the one that the page showed.
func (a *api) changeOpenAnswer(c echo.Context) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	return a.answerForm(c, cmp.Or(form.Get(templates.FormField), param(c, "form")), form)
}

func (a *api) answerForm(c echo.Context, sealed string, form url.Values) error {
	ctx, slug := c.Request().Context(), param(c, "slug")
	if err := a.open.client(c.RealIP()); err != nil {
		return a.openError(c, store.OpenPage{}, form, err)
	}
	page, err := a.Store.OpenForm(ctx, slug, sealed)
	if err == nil {
		err = a.open.link(page.Link.Slug)
	}
	if err == nil && page.Response == nil && a.hasAnswered(c, page) {
		err = errAnswered
	}
	if err != nil {
		return a.openError(c, page, form, err)
	}
	reply, err := replyOf(page.Opened, form)
	if err != nil {
		return a.openError(c, page, form, err)
	}
	reply.Locale = a.locale(c, page.Opened)
	came, undo, err := a.arrival(c, page, form)
	if err != nil {
		return err
	}
	after, err := a.Store.AnswerForm(ctx, slug, sealed, reply, came)
	if err != nil {
		undo()
		if after.Template.Key == "" {
			after = page
		}
		return a.openError(c, after, form, err)
	}
	if page.Response == nil {
		a.metrics.openAnswers.WithLabelValues(came.Channel, came.Excluded).Inc()
		a.open.answered(c.RealIP(), page.Link)
	}
	a.rememberAnswered(c, after) // at a repeat too: the reply to the first may be lost
	p := a.openPage(c, after)
	if p.Start != "" { // so that going back on a shared device posts nothing again
		return c.Redirect(http.StatusSeeOther, p.Own())
	}
	p.Step = nextStep(after.Opened, reply)
	return a.respondentPage(c, http.StatusOK, p)
}

// arrival is how an answer came, with what is odd about it. An answer that was
// not kept has to be undone, so that the next try is not odd because of it.
func (a *api) arrival(c echo.Context, page store.OpenPage, form url.Values) (came store.Arrival, undo func(), err error) {
	undo = func() {}
	came = store.Arrival{Channel: page.Link.Entrance(c.QueryParam("via")), Attributes: page.Link.Told(c.QueryParams())}
	if page.Response != nil {
		return came, undo, nil // nothing of it is read
	}
	odd := survey.Suspicion{Age: a.Now().Sub(page.ShownAt.Time()), Trap: form.Get(templates.TrapField) != ""}
	if odd.Foreign, err = a.sentFromElsewhere(c.Request()); err != nil {
		return came, undo, err
	}
	odd.Many = a.open.tooMany(c.RealIP(), page.Link)
	if came.Channel == survey.ByKiosk {
		kiosk := device{answering{clientOf(c.RealIP()), page.Link.Slug}, kept(came.Channel, came.Attributes).Encode()}
		odd.Soon = a.open.tooSoon(kiosk, page.Form)
		undo = func() { a.open.notKept(kiosk, page.Form) }
	}
	came.Excluded = odd.Excluded()
	return came, undo, nil
}

// sentFromElsewhere is true where a browser says that a page of another site
// sent an answer. An origin of null alone says nothing: koe's own pages, which
// tell nobody where they are, have none over http.
func (a *api) sentFromElsewhere(r *http.Request) (bool, error) {
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "null" {
		return false, nil
	}
	return a.fromAnotherOrigin(r)
}

// openPage is what every page of an open link shows. It says by whom it may be
// framed.
func (a *api) openPage(c echo.Context, page store.OpenPage) templates.SurveyPage {
	a.seen.remember(page.Link)
	entrance := page.Link.Entrance(c.QueryParam("via"))
	start := a.path + "/l/" + page.Link.Slug
	if page.Response != nil {
		entrance = page.Response.Channel
	} else {
		page.Invitation.Attributes = page.Link.Told(c.QueryParams())
	}
	if entrance == survey.ByEmbed {
		c.Set(framersKey, page.Link.EmbedOrigins)
	}
	query := kept(entrance, page.Invitation.Attributes)
	p := a.surveyPage(c, page.Opened)
	p.Open, p.Framed = true, entrance == survey.ByEmbed
	if page.Response != nil {
		p.Address, p.Query = start+"/"+page.Form, url.Values{}
		if entrance == survey.ByEmbed || entrance == survey.ByKiosk { // what even an error page has to know
			p.Query = maps.Clone(query)
		}
		if p.Locale != page.Response.Locale { // switched since
			p.Query.Set("lang", p.Locale)
		}
	} else {
		p.Query, p.Form = query, page.Form
		if page.Link.Slug != "" {
			p.Address = start
		}
	}
	if entrance == survey.ByKiosk {
		keepStart(c, &p, start, query)
	}
	return p
}

// startLang names the language in which a kiosk was set up. It goes from page to
// page beside lang, which is the language that somebody reads.
const startLang = "start_lang"

// keepStart has a kiosk begin anew in the language that its start was opened
// with, whatever somebody switched to meanwhile; in the browser's where it was
// opened with none.
func keepStart(c echo.Context, p *templates.SurveyPage, start string, query url.Values) {
	lang := c.QueryParam(startLang)
	if atStart := param(c, "form") == ""; atStart && !c.QueryParams().Has(startLang) {
		lang = c.QueryParam("lang")
	}
	begins := maps.Clone(query)
	if lang != "" {
		begins.Set("lang", lang)
	}
	p.Start = start + "?" + begins.Encode()
	if p.Query = maps.Clone(p.Query); lang != "" || p.Form != "" { // at the start, none has to be said too
		p.Query.Set(startLang, lang)
	}
}

// kept is what an address of an open link says, in its shortest form.
func kept(entrance string, attributes survey.Attributes) url.Values {
	query := url.Values{}
	if entrance != survey.ByLink {
		query.Set("via", entrance)
	}
	for name, value := range attributes {
		query.Set(name, value.Text())
	}
	return query
}

// A kiosk goes back to the start by itself: after thanks, and from a page that
// somebody has walked away from. The start itself is renewed long before its form
// is too old, so that after a weekend the first tap counts.
const (
	kioskThanks = 6 * time.Second
	kioskIdle   = 90 * time.Second
	kioskRenews = survey.FormLasts / 4
)

// backToStart has the browser leave a page on which nobody can enter anything.
func backToStart(c echo.Context, p templates.SurveyPage) {
	c.Response().Header().Set("Refresh", strconv.Itoa(int(kioskThanks.Seconds()))+";url="+p.Start)
}

// leaveAlone has the page itself lead to the start after a wait, or once it was
// touched and then left alone.
func leaveAlone(p *templates.SurveyPage, wait time.Duration) { p.Wait, p.Idle = wait, kioskIdle }

// openError shows an error as a page, as pageError does. A form that is not
// this link's, or too old, is exchanged for a fresh one, with the score that
// was chosen.
func (a *api) openError(c echo.Context, page store.OpenPage, typed url.Values, err error) error {
	var known *survey.Error
	if !errors.As(err, &known) {
		return err
	}
	if page.Link.Slug == "" {
		page.Link = a.linkBehind(c.Request().Context(), param(c, "slug"), known.Kind)
	}
	if known.Kind == survey.Invalid && len(known.Fields) == 1 && known.Fields[0].Field == templates.FormField {
		fresh, err := a.Store.OpenBySlug(c.Request().Context(), page.Link.Slug)
		if err != nil {
			return a.openError(c, fresh, typed, err)
		}
		page, known = fresh, withScore(known, fresh, typed)
	}
	p := a.openPage(c, page)
	if p.Start != "" {
		switch known.Kind {
		case survey.Invalid, survey.Unavailable, survey.TooMany, survey.TooLarge: // what was entered is here, or is to be entered again
			leaveAlone(&p, kioskIdle)
		default:
			backToStart(c, p)
		}
	}
	return a.problemPage(c, p, page.Opened, typed, known)
}

// withScore adds what is wrong with the score to what is wrong with the form,
// so that both are told at once.
func withScore(refused *survey.Error, fresh store.OpenPage, typed url.Values) *survey.Error {
	var p survey.Problems
	p.Merge("", refused)
	if _, given := typed[templates.ScoreField]; given || typed.Get(templates.StepField) != string(templates.StepQuestions) {
		formScore(&p, fresh.Template, typed[templates.ScoreField])
	}
	var all *survey.Error
	if errors.As(p.Err(), &all) {
		return all
	}
	return refused
}

// answeredCookie remembers in a browser that it has answered, where the link
// says so: for this link alone, without saying who.
const (
	answeredCookie = "koe_answered"
	answeredFor    = 180 * 24 * time.Hour
)

var errAnswered = survey.Errorf(survey.Conflict, "", "this browser has answered already")

// onceHere is true where a browser may answer once: not on a device that many
// share, and not in a frame, where koe sets no cookie.
func onceHere(link survey.OpenLink, entrance string) bool {
	return link.OncePerBrowser && (entrance == survey.ByLink || entrance == survey.ByQR)
}

func (a *api) hasAnswered(c echo.Context, page store.OpenPage) bool {
	if !onceHere(page.Link, page.Link.Entrance(c.QueryParam("via"))) {
		return false
	}
	_, err := c.Cookie(answeredCookie)
	return err == nil
}

func (a *api) rememberAnswered(c echo.Context, page store.OpenPage) {
	if onceHere(page.Link, page.Response.Channel) {
		//nolint:gosec // Secure as the address is: a koe without TLS could set none
		c.SetCookie(&http.Cookie{Name: answeredCookie, Value: "1", Path: a.path + "/l/" + page.Link.Slug, MaxAge: int(answeredFor.Seconds()),
			HttpOnly: true, Secure: strings.HasPrefix(a.BaseURL, "https:"), SameSite: http.SameSiteLaxMode})
	}
}

// framersKey is where a request keeps the sites that may frame its page.
const framersKey = "framers"

// respondentPolicy is pagePolicy for pages with one script, which stands in
// them, opened to those who may frame the page.
func (a *api) respondentPolicy(c echo.Context) string {
	policy := strings.Replace(pagePolicy, "script-src 'self'", "script-src '"+a.Words.ScriptHash()+"'", 1)
	framers, _ := c.Get(framersKey).([]string)
	if len(framers) == 0 {
		return policy
	}
	return strings.Replace(policy, "frame-ancestors 'none'", "frame-ancestors "+strings.Join(framers, " "), 1)
}
