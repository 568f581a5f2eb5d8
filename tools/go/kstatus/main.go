// Kstatus says what the library kstatus, by which GitOps tools and kubectl plugins judge objects, makes of ours.
// It reads a list, such as `kubectl get connections -o json` prints, and answers one line an object:
// kind/name, a word, and why.
package main

import (
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	if err := judge(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "kstatus:", err)
		os.Exit(1)
	}
}

func judge(in io.Reader, out io.Writer) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("the list can't be read: %w", err)
	}
	var list unstructured.UnstructuredList
	if err := list.UnmarshalJSON(text); err != nil {
		return fmt.Errorf("the input is no list of objects in JSON: %w", err)
	}
	for i := range list.Items {
		object := &list.Items[i]
		name := object.GetKind() + "/" + object.GetName()
		result, err := status.Compute(object)
		if err != nil {
			return fmt.Errorf("%s can't be judged: %w", name, err)
		}
		if _, err := fmt.Fprintln(out, name, result.Status, result.Message); err != nil {
			return err
		}
	}
	return nil
}
