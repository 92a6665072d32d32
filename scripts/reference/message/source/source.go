// Package source has what a message template sees of image-automation-controller's internal/source, which cannot be
// imported; templates print the package's name.
package source

import (
	"supercargo/reference/message/types"
	"supercargo/reference/message/update"
)

// TemplateData is what a message is made from.
type TemplateData struct {
	AutomationObject types.NamespacedName
	Changed          update.Result
	Values           map[string]string
}
