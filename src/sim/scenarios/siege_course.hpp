// What every siege of a node has in common (siege.hpp, discv5_siege.hpp): the attacker's crowd,
// when it and the besieged node come, crash and come back, and what is seen of the node in each of
// its lives. How a node is started, stopped and looked at is the scenario's. One thread, the
// world's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <discovery/kbucket/table.hpp>

#include "../hostile/roster.hpp"
#include "../reached.hpp"
#include "../scenario.hpp"
#include "../world.hpp"

namespace ethnet::sim {

// `brief`: lives of a minute or two, and fewer hosts, as each test run affords.
enum class SiegeSize : std::uint8_t { whole, brief };

struct SiegeTimes {
  Duration crowd_comes;
  Duration victim_comes;
  Duration crash;        // it is down for ten seconds then
  Duration second_life;  // at least
  [[nodiscard]] Duration end() const;
};

// What is to be seen of the besieged node at one time.
struct SiegeLook {
  bool somebody = false;   // honest is there for it
  std::size_t ours = 0;    // honest ones that count
  std::size_t theirs = 0;  // the attacker's, likewise
  bool half = false;       // of those that count at least half are honest
};

// From one start of the besieged node to its end.
struct SiegeLife {
  Instant since;
  std::optional<Duration> met;  // when somebody honest was there for it
  std::size_t lost = 0;         // looks with nobody honest, after there had been somebody
  // The next once it had had time.
  std::size_t looks = 0;
  std::size_t with_half = 0;
  std::size_t least_ours = SIZE_MAX;
  std::size_t most_theirs = 0;
};

// Attack 32: once a life had time, there is somebody honest that counts at every look. One look
// without is too many, in any seed.
class SomebodyHonestAlways final : public Checker {
 public:
  explicit SomebodyHonestAlways(const std::vector<SiegeLife>& lives) : lives_{lives} {}
  [[nodiscard]] std::string_view name() const override { return "somebody honest is there always"; }
  [[nodiscard]] std::optional<std::string> check(const World& world) override;

 private:
  const std::vector<SiegeLife>& lives_;
};

class SiegeCourse {
 public:
  struct Hooks {
    std::function<void(World&)> start;  // the besieged node
    std::function<void(World&)> begun;  // after the first look at it
    std::function<void(World&)> stop;
    std::function<SiegeLook(const World&)> look;
  };
  // One of the crowd's hosts.
  using MakeHost = std::function<std::unique_ptr<Host>(const HostEnv&, std::size_t host)>;
  struct Crowd {
    std::size_t hosts = 0;  // each in a network of its own
    std::uint16_t port = 0;
    kbucket::RecordPort records = kbucket::RecordPort::quic;
    MakeHost make;
  };

  // `start_up`: the time that a node has. Both durations are of the world's.
  SiegeCourse(Reached& reached, Duration look_every, Duration start_up)
      : reached_{reached}, look_every_{look_every}, start_up_{start_up} {}

  // After the honest nodes: every later host of the world is the crowd's.
  void add_crowd(World& world, const Prng& prng, Crowd crowd);
  void begin(World& world, const SiegeTimes& times, HostId victim, Hooks hooks);

  [[nodiscard]] Roster& roster() { return *roster_; }
  [[nodiscard]] const Roster& roster() const { return *roster_; }
  [[nodiscard]] const std::vector<SiegeLife>& lives() const { return lives_; }
  [[nodiscard]] bool has_lived_twice() const { return lives_.size() == 2; }

  // So that a swarm counts how many seeds came to what. The last life's number and the life itself:
  [[nodiscard]] std::size_t number() const { return lives_.size(); }
  [[nodiscard]] const SiegeLife& life() const { return lives_.back(); }
  void note_table(const kbucket::Table& table);
  // "life 2: `somebody` within 10 s", or "life 2: `nobody`".
  void note_met(std::string_view somebody, std::string_view nobody);
  void note_identities();

 private:
  void begin_life(World& world);
  void look(World& world, std::size_t life_number);

  Reached& reached_;
  Duration look_every_;
  Duration start_up_;
  Hooks hooks_;
  HostId victim_ = 0;
  std::optional<Roster> roster_;
  std::vector<SiegeLife> lives_;
};

}  // namespace ethnet::sim
