# shellcheck shell=bash
# For deploy.sh. What only reads goes through `ask`, whatever changes something through `change`.
# Written for bash 3.2 too, which is what macOS has.

# shellcheck disable=SC2154 # project, dry_run and force are deploy.sh's

die() {
  printf 'deploy: %s\n' "$1" >&2
  exit 2
}

ask() {
  gcloud "$@" --project="$project" --quiet
}

# has_line TEXT LINE
has_line() {
  [[ $'\n'$1$'\n' == *$'\n'"$2"$'\n'* ]]
}

exists() {
  ask "$@" >/dev/null 2>&1
}

# Says the command, and runs it unless this is a dry run; `tries=6 change …` is patient: an identity
# or a metric that was just made is known everywhere only some seconds later.
change() {
  local left=${tries:-1}
  printf '+ gcloud'
  printf ' %q' "$@" --project="$project"
  printf '\n'
  [[ $dry_run == false ]] || return 0
  until gcloud "$@" --project="$project" --quiet >/dev/null; do
    ((left -= 1)) || return 1
    sleep "${PAUSE_SECONDS:-10}"
  done
}

# Of stdin. A resource carries the mark of what it was made from; one with today's mark is left
# alone, so that a second run changes nothing and no cloud's own way of writing JSON matters.
mark_of() {
  local hash
  hash=$(git hash-object --stdin)
  printf '%s' "${hash:0:12}"
}

# settled MARK LIVE: what is there is what was asked for.
settled() {
  [[ $force == false && $1 == "$2" ]]
}

# grant MEMBER ROLE KIND RESOURCE…: KIND is gcloud's command group, as in 'storage buckets'.
grant() {
  local member=$1 role=$2 kind held
  read -ra kind <<<"$3"
  shift 3
  held=$(ask "${kind[@]}" get-iam-policy "$@" --flatten='bindings[].members' \
    --format='csv[no-heading](bindings.role,bindings.members,bindings.condition.title)' \
    2>/dev/null) || held=
  # The last column is empty: a binding with a condition is another one.
  has_line "$held" "$role,$member," ||
    tries=6 change "${kind[@]}" add-iam-policy-binding "$@" \
      --member="$member" --role="$role" --condition=None
}
