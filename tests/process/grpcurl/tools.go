//go:build tools

// Names the program so that its version is pinned in go.mod and go.sum.
package tools

import _ "github.com/fullstorydev/grpcurl/cmd/grpcurl"
