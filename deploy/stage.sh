#!/usr/bin/env bash
# stage.sh [--pack] DIR: puts the function's source into DIR. With --pack it brings the package of
# this clone with it, as it will be on npm; without, the released version is installed from npm.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

pack=false
if [[ ${1-} == --pack ]]; then
  pack=true
  shift
fi
if [[ $# != 1 || $1 == -* ]]; then
  echo 'usage: deploy/stage.sh [--pack] DIR' >&2
  exit 2
fi
mkdir -p "$1"
into=$(cd "$1" && pwd)

cp "$here/function/index.js" "$into/"
if [[ $pack == false ]]; then
  cp "$here/function/package.json" "$into/"
  exit
fi
rm -f "$into"/worker-chart-export-*.tgz
# It compiles first, as it does before a publish; what npm prints meanwhile belongs to no summary.
(cd "$here/.." && npm pack --silent --pack-destination "$into") >/dev/null
tarball=$(basename "$into"/worker-chart-export-*.tgz)
sed "s|\"worker-chart-export\": \"[^\"]*\"|\"worker-chart-export\": \"file:$tarball\"|" \
  "$here/function/package.json" >"$into/package.json"
