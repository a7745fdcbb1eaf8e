#!/bin/sh
# Prepares the demo's OpenBao: a secret, a role that may read it, and the role's secret id in a file for the sidecar alone.
set -eu

until bao status >/dev/null 2>&1; do sleep 1; done
# started once more beside an OpenBao that is set up: nothing to do
if [ -s /secrets/secret_id ] && bao kv get secret/demo >/dev/null 2>&1; then exit 0; fi

bao kv put secret/demo token="demo-$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')" >/dev/null
bao policy write demo - >/dev/null <<'POLICY'
path "secret/data/demo" { capabilities = ["read"] }
path "sys/leases/*" { capabilities = ["create", "update"] }
POLICY
bao auth enable approle >/dev/null
bao write auth/approle/role/demo token_policies=demo token_ttl=10m >/dev/null
bao write auth/approle/role/demo/role-id role_id=claviger-demo >/dev/null
umask 077
bao write -f -field=secret_id auth/approle/role/demo/secret-id >/secrets/secret_id
chown 65532:65532 /secrets/secret_id
echo "OpenBao is ready: a secret under secret/demo, a role that may read it"
