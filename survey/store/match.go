package store

import (
	"errors"

	"koe/survey"
)

// checkMatch is Stale where a caller changes another revision than the present
// one, or one of something that is not there. err is of the look-up.
func checkMatch(ifMatch, revision int64, err error) error {
	if isNotFound(err) && ifMatch != 0 || err == nil && ifMatch != 0 && ifMatch != revision {
		return survey.Errorf(survey.Stale, "", "somebody else changed it meanwhile; read it again")
	}
	return err
}

func isNotFound(err error) bool { return isKind(err, survey.NotFound) }

func isKind(err error, kind survey.Kind) bool {
	var e *survey.Error
	return errors.As(err, &e) && e.Kind == kind
}

// isRefusal is true for an error that a caller may see.
func isRefusal(err error) bool {
	var e *survey.Error
	return errors.As(err, &e)
}
