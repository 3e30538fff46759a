# grpcurl, a gRPC client of other people, for the tests (tests/process/grpcurl pins its version). Go builds it: a minute,
# once. Without Go or a network the test that asks with it is skipped by name.
setup_grpcurl() {
  local program=build/tools/grpcurl
  [ ! "$program" -nt tests/process/grpcurl/go.sum ] || return 0
  command -v go >/dev/null || { say "setup: no Go here, no grpcurl: the test that asks with it is skipped"; return 0; }
  mkdir -p build/tools
  say "setup: building grpcurl"
  (cd tests/process/grpcurl && go build -o "$ROOT/$program" github.com/fullstorydev/grpcurl/cmd/grpcurl) \
    >build/.grpcurl-setup.log 2>&1 ||
    {
      cat build/.grpcurl-setup.log >&2
      say "setup: grpcurl does not build (it needs a network once): the test that asks with it is skipped"
      return 0
    }
}
