# A decision with its obligations, found in 10 KB of grants.
package bench

import rego.v1

default allow := {"allow": false, "rule": "no-grant", "reason": "no grant covers this request"}

allow := {
	"allow": true,
	"rule": grant.name,
	"credential": grant.credential,
	"scopes": grant.scopes,
	"ttl_s": 300,
} if {
	some grant in data.teams[input.workload.labels.team].grants
	input.request.method in grant.methods
	grant.host == input.request.host
	grant.credential in input.route.credentials
	fits(grant.path)
}

# `*` stands for one segment.
fits(pattern) if {
	count(pattern) == count(input.request.segments)
	every place, part in pattern {
		part in {"*", input.request.segments[place]}
	}
}
