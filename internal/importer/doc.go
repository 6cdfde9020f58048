// Package importer writes manifests for what is in Google Cloud, such that applying them writes nothing there, and proves that they are so.
//
// What becomes of one resource is pure (Compose): its manifest says what Google would not have chosen by itself, and what it cannot say is
// told. Importer lists projects and writes files; Verifier plans those files as the operator would, and certifies what would come of them.
//
// It knows kinds by their data: their lists, their tables of fields, the path of their policy.
package importer
