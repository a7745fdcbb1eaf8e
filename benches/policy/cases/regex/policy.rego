# Patterns that stand in the policy: a path, an agent, a request id.
package bench

import rego.v1

default allow := false

allow if {
	regex.match(`^/repos/[a-z0-9-]+/[a-z0-9._-]+/issues(/[0-9]+)?$`, input.request.path)
	regex.match(`^agent/[0-9]+\.[0-9]+( \([^)]*\))?$`, input.request.headers["user-agent"][0])
	regex.match(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`, input.id)
}
