package templates

// SignIn is the mail with the link that signs a member in.
func (w *Words) SignIn(locale, link string) (Mail, error) {
	v := w.staffVoice(locale)
	subject, err := v.Say("mail_sign_in_subject")
	if err != nil {
		return Mail{}, err
	}
	text, err := v.Say("mail_sign_in", "Link", link)
	return Mail{Subject: subject, Text: text}, err
}
