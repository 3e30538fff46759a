// Answers through a real socket: how much of the server's CPU time each costs. Server and asker are
// processes of their own, a core each; the asker is ours whoever serves.
#include <fmt/format.h>

#include "asker.hpp"
#include "compare.hpp"
#include "server.hpp"

namespace ethnet::bench {
namespace {

constexpr std::size_t kWindow = 64;
constexpr std::uint32_t kAskers = 16;  // with a session each

// A server and those who ask it.
struct Party {
  explicit Party(const std::optional<std::string>& program) : server{program} {
    for (std::uint32_t i = 0; i < kAskers; ++i) {
      askers.push_back(std::make_unique<Asker>(socket, i, server.record()));
      askers.back()->meet();
    }
  }
  // CPU nanoseconds of the server for each of `count` answers; another asks each time.
  double ask(Asker::Question question, std::uint64_t count) {
    const std::uint64_t before = server.cpu_ns();
    askers.at(next++ % askers.size())->ask(question, count, kWindow);
    return static_cast<double>(server.cpu_ns() - before) / static_cast<double>(count);
  }

  Server server;
  LoopbackSocket socket;
  std::vector<std::unique_ptr<Asker>> askers;
  std::size_t next = 0;
};

std::string rate(double ns) { return fmt::format("{:.0f} k/s", 1e6 / ns); }

void row(const Compare& compare, const std::string& what, Asker::Question question, double goal,
         Party& ours, Party* geth) {
  const std::uint64_t count = compare.count(20'000, 200);
  std::vector<double> mine;
  std::vector<double> others;
  const auto ask = [&](Party* party, std::vector<double>& into) {
    if (party != nullptr) into.push_back(party->ask(question, count));
  };
  std::vector<double> warm;
  ask(&ours, warm);
  ask(geth, warm);
  for (std::size_t pair = 0; pair < compare.options.pairs; ++pair) {
    if (pair % 2 == 0) {
      ask(&ours, mine);
      ask(geth, others);
    } else {
      ask(geth, others);
      ask(&ours, mine);
    }
  }
  print_pairs({.what = what, .ours = {}, .peer = "geth p2p/discover", .goal = goal}, mine, others,
              compare.options.resamples, rate);
}

}  // namespace

void serving_rows(const Compare& compare) {
  const std::string ping = "discv5: PING answered, per CPU-second of the server, window 64";
  const std::string find = "the same: FINDNODE for its own record";
  if (!compare.wants(ping) && !compare.wants(find)) return;
  const OnCore pinned{kAskerCore};
  Party ours{{}};
  std::unique_ptr<Party> geth;
  if (!compare.geth_program.empty()) geth = std::make_unique<Party>(compare.geth_program);
  row(compare, ping, Asker::Question::ping, 4, ours, geth.get());
  row(compare, find, Asker::Question::find_node, 4, ours, geth.get());
}

}  // namespace ethnet::bench
