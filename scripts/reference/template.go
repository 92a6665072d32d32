package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"

	"supercargo/reference/message/source"
	"supercargo/reference/message/types"
	"supercargo/reference/message/update"
	"supercargo/reference/message/yaml"
)

const defaultMessage = "Update from image update automation"

type objectChanges struct {
	APIVersion, Kind, Namespace, Name string
	Changes                           []struct {
		Old    string `json:"old_value"`
		New    string `json:"new_value"`
		Setter string `json:"setter"`
	}
}

func templateAnswer(line []byte) (answer, error) {
	var request struct {
		Template string
		Data     struct {
			Automation  types.NamespacedName `json:"automation_object"`
			Values      map[string]string
			FileChanges map[string][]objectChanges `json:"file_changes"`
		}
	}
	if err := json.Unmarshal(line, &request); err != nil {
		return nil, err
	}
	files := make(map[string]update.ObjectChanges)
	for file, objects := range request.Data.FileChanges {
		files[file] = make(update.ObjectChanges)
		for _, object := range objects {
			id := update.ObjectIdentifier{ResourceIdentifier: yaml.ResourceIdentifier{
				TypeMeta: yaml.TypeMeta{APIVersion: object.APIVersion, Kind: object.Kind},
				NameMeta: yaml.NameMeta{Name: object.Name, Namespace: object.Namespace},
			}}
			// An object without changes is there too.
			files[file][id] = append(files[file][id], []update.Change{}...)
			for _, change := range object.Changes {
				files[file][id] = append(files[file][id], update.Change{OldValue: change.Old, NewValue: change.New, Setter: change.Setter})
			}
		}
	}
	data := source.TemplateData{
		AutomationObject: request.Data.Automation,
		Changed:          update.Result{FileChanges: files},
		Values:           request.Data.Values,
	}
	message, err := render(request.Template, &data)
	if err != nil {
		return answer{"message": nil, "error": err.Error(), "removed_field": false}, nil
	}
	return answer{"message": message, "error": nil, "removed_field": false}, nil
}

// render does what the controller's templateMsg does, but for the two removed fields.
func render(text string, data *source.TemplateData) (string, error) {
	if text == "" {
		return defaultMessage, nil
	}
	parsed, err := template.New("commit message").Funcs(sprig.HermeticTxtFuncMap()).Parse(text)
	if err != nil {
		return "", fmt.Errorf("unable to create commit message template from spec: %w", err)
	}
	var message strings.Builder
	if err := parsed.Execute(&message, *data); err != nil {
		return "", fmt.Errorf("failed to run template from spec: %w", err)
	}
	return message.String(), nil
}
