# The smallest policy that is of use: reads of one interface, in production.
package bench

import rego.v1

default allow := false

allow if {
	input.request.method == "GET"
	input.request.host == "api.example.com"
	input.workload.environment == "production"
	startswith(input.request.path, "/repos/")
}
