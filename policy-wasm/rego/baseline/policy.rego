# METADATA
# title: Baseline
# description: |
#   Deny by default. A workload that the sidecar could identify may read; it may write when it says what for, in a
#   task token or in the Claviger-Purpose header.
package claviger.authz

import rego.v1

reads := {"GET", "HEAD"}

writes := {"DELETE", "PATCH", "POST", "PUT"}

default decision := {
	"allow": false,
	"rule": "default-deny",
	"reason": "no rule allows this request",
	"hint": "only GET, HEAD, POST, PUT, PATCH and DELETE are known to the policy",
}

decision := {
	"allow": true,
	"rule": "read",
	"reason": "a known workload may read",
} if {
	known
	input.request.method in reads
}

decision := {
	"allow": true,
	"rule": "write-with-purpose",
	"reason": "a known workload may write for a purpose",
} if {
	known
	input.request.method in writes
	purposeful
}

decision := {
	"allow": false,
	"rule": "write-needs-purpose",
	"reason": "writes need a purpose",
	"hint": "say what for in the Claviger-Purpose header, or present a task token",
} if {
	known
	input.request.method in writes
	not purposeful
}

decision := {
	"allow": false,
	"rule": "unknown-workload",
	"reason": "the workload could not be identified",
	"hint": "connect through the sidecar's unix socket",
} if {
	not known
}

# The kernel or a SPIFFE certificate vouches for it.
known if is_number(input.workload.uid)

known if startswith(input.workload.spiffe_id, "spiffe://")

# A verified task comes first; a claim alone is recorded with the decision's input and is better than silence.
purposeful if input.task.id != ""

purposeful if trim_space(input.claimed.purpose) != ""
