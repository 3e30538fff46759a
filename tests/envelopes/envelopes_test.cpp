// A million envelopes between two nodes under faults (a share of them in each test run): none is
// lost on a session that lives, none altered, none overtaken within its capability and priority.
#include <cstdio>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <session/testing/amount.hpp>
#include <sim/chaos.hpp>
#include <sim/world.hpp>

#include "envelope_node.hpp"

namespace ethnet::testing {
namespace {

using sim::Fault;

constexpr Duration kFaultsFor = seconds(1'200);

struct Outcome {
  Ledger ledger;
  sim::WorldStats stats;
  Duration took;  // of virtual time
};

std::shared_ptr<const crypto::SecretKey> key(std::uint8_t n) {
  ByteArray<32> secret{};
  secret.back() = std::byte{n};
  return std::make_shared<const crypto::SecretKey>(crypto::SecretKey::from_bytes(secret).value());
}

class EnvelopeRun {
 public:
  EnvelopeRun(std::uint64_t seed, std::uint64_t goal, bool tls)
      : world_{seed}, chaos_{world_.split("chaos"), faults(tls)} {
    ledger_.goal = goal;
    for (std::uint8_t i = 0; i < 2; ++i) {
      EnvelopeNode::Setup setup;
      setup.tls = tls;
      setup.key = key(static_cast<std::uint8_t>(1 + (i + seed) % 2));  // either may be the arbiter
      if (i == 1) setup.dials = [this] { return world_.endpoint(0); };
      sim::HostSpec spec;
      spec.options = chaos_.draw_host();
      spec.factory = [this, setup](const sim::HostEnv& env) {
        return sim::make_machine_host<EnvelopeNode>(env, {}, env, setup, ledger_);
      };
      world_.add_host(std::move(spec));
    }
  }

  Outcome run() {
    const sim::VirtualOsScope scope{world_};
    chaos_.begin(world_);
    world_.start(0);
    world_.start(1);
    // Under the faults, until all have arrived. Where these leave the two apart nearly always, the
    // rest comes after healing, and soon.
    const auto all_here = [this] {
      return ledger_.received[0] >= ledger_.goal && ledger_.received[1] >= ledger_.goal;
    };
    step_while(kFaultsFor, all_here);
    chaos_.heal(world_);
    step_until(seconds(300), all_here);
    ledger_.quiet = true;
    // What a session that is alive still owes comes now.
    step_until(seconds(120), [this] { return owed() == 0; });
    return {ledger_, world_.stats(), world_.now() - Instant{}};
  }

 private:
  // Bits that flip are TLS's to find: without it they would be taken for what was said.
  static std::uint32_t faults(bool tls) {
    const std::uint32_t all = Fault::loss | Fault::burst_loss | Fault::duplicate | Fault::reorder |
                              Fault::far | Fault::partition | Fault::crash | Fault::pause |
                              Fault::clocks | Fault::slow_jobs | Fault::full_socket |
                              Fault::rebind | Fault::relink;
    return tls ? all | Fault::corrupt : all;
  }
  [[nodiscard]] std::uint64_t owed() const {
    std::uint64_t sum = 0;
    for (sim::HostId host = 0; host < 2; ++host) {
      const auto* const node = world_.machine<EnvelopeNode>(host);
      if (node == nullptr || node->sessions().session_count() == 0) continue;
      const auto it = ledger_.traffic.find({host, ledger_.newest.at(host)});
      if (it != ledger_.traffic.end()) sum += it->second.in_flight();
    }
    return sum;
  }
  void step_while(Duration most, const std::function<bool()>& done) {
    const Instant end = world_.now() + most;
    while (!done() && !ledger_.wrong && world_.now() < end) {
      world_.run_until(world_.now() + milliseconds(100));
    }
  }
  void step_until(Duration most, const std::function<bool()>& done) {
    step_while(most, done);
    if (!done() && !ledger_.wrong) {
      ledger_.wrong = fmt::format("too slow: {} and {} received, {} owed, {} sessions, faults: {}",
                                  ledger_.received[0], ledger_.received[1], owed(),
                                  ledger_.sessions, sim::faults_text(chaos_.enabled()));
    }
  }

  Ledger ledger_;  // before the world, whose hosts refer to it
  sim::World world_;
  sim::Chaos chaos_;
};

// On a thread of its own: GnuTLS keeps a generator for each.
Outcome run_seed(std::uint64_t seed, std::uint64_t goal, bool tls) {
  Outcome outcome;
  std::thread{[&] { outcome = EnvelopeRun{seed, goal, tls}.run(); }}.join();
  return outcome;
}

TEST(Envelopes, NoneIsLostAlteredOrOvertakenUnderFaults) {
  constexpr std::uint64_t kShare = 200'000;
  const std::uint64_t wanted = ethnet::testing::amount("ETHNET_ENVELOPES", kShare);
  const std::uint64_t seeds = wanted <= kShare ? 10 : 40;
  const std::uint64_t goal = wanted / seeds / 2;  // each way
  sim::WorldStats sum;
  std::uint64_t received = 0;
  std::uint64_t sessions = 0;
  std::uint64_t held_back = 0;
  std::uint64_t would_block = 0;
  Duration took;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Outcome outcome = run_seed(seed, goal, seed % 5 == 0);
    ASSERT_FALSE(outcome.ledger.wrong) << "seed " << seed << ": " << *outcome.ledger.wrong;
    received += outcome.ledger.received[0] + outcome.ledger.received[1];
    sessions += outcome.ledger.sessions;
    held_back += outcome.ledger.held_back;
    would_block += outcome.ledger.would_block;
    took.ns += outcome.took.ns;
    sum.duplicated += outcome.stats.duplicated;
    sum.reordered += outcome.stats.reordered;
    sum.corrupted += outcome.stats.corrupted;
    sum.pauses += outcome.stats.pauses;
    sum.rebinds += outcome.stats.rebinds;
    sum.crashes += outcome.stats.crashes;
    sum.cuts += outcome.stats.cuts;
    for (std::size_t i = 0; i < sim::kDropReasons; ++i) {
      sum.dropped.at(i) += outcome.stats.dropped.at(i);
    }
  }
  EXPECT_GE(received, 2 * seeds * goal);
  // That the faults were there.
  for (const std::uint64_t n :
       {sum.drops(sim::DropReason::loss), sum.duplicated, sum.reordered, sum.corrupted, sum.pauses,
        sum.rebinds, sum.cuts, held_back, would_block}) {
    EXPECT_GT(n, 0U);
  }
  EXPECT_GE(sessions, 2 * seeds);
  const std::string line = fmt::format(
      "envelopes: {} received in {} seeds and {} s of virtual time ({} ends of sessions, {} lost "
      "datagrams, {} duplicated, {} reordered, {} corrupted, {} pauses, {} rebinds, {} crashes, "
      "{} cuts, {} spells of not reading, {} full queues)\n",
      received, seeds, took.ns / 1'000'000'000, sessions,
      sum.drops(sim::DropReason::loss) + sum.drops(sim::DropReason::burst), sum.duplicated,
      sum.reordered, sum.corrupted, sum.pauses, sum.rebinds, sum.crashes, sum.cuts, held_back,
      would_block);
  std::fputs(line.c_str(), stdout);
}

// In this seed ngtcp2 asks after a write to be woken at a time that is over, which ended the node.
TEST(Envelopes, TimerInThePastIsDueNow) {
  const Outcome outcome = run_seed(72, 12'500, true);
  EXPECT_FALSE(outcome.ledger.wrong) << *outcome.ledger.wrong;
}

}  // namespace
}  // namespace ethnet::testing
