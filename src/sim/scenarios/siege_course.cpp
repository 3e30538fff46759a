#include "siege_course.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace ethnet::sim {
namespace {

constexpr Duration kDown = seconds(10);

}  // namespace

Duration SiegeTimes::end() const { return crash + kDown + second_life; }

std::optional<std::string> SomebodyHonestAlways::check(const World&) {
  for (const SiegeLife& life : lives_) {
    if (life.least_ours == 0) return "of those that count nobody was honest";
  }
  return std::nullopt;
}

void SiegeCourse::add_crowd(World& world, const Prng& prng, Crowd crowd) {
  std::vector<IpAddress> hosts;
  for (std::size_t i = 0; i < crowd.hosts; ++i) {
    hosts.push_back(
        IpAddress::v4({std::byte{70}, static_cast<std::byte>(i), std::byte{7}, std::byte{7}}));
  }
  roster_.emplace(prng.split("roster"), hosts, siege_identities(), crowd.records);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    HostSpec spec;
    spec.endpoint = {hosts[i], crowd.port};
    spec.factory = [make = crowd.make, i](const HostEnv& env) { return make(env, i); };
    world.add_all_ports(world.add_host(std::move(spec)), hosts[i]);
  }
}

void SiegeCourse::begin(World& world, const SiegeTimes& times, HostId victim, Hooks hooks) {
  hooks_ = std::move(hooks);
  victim_ = victim;
  world.after(times.crowd_comes, [victim](World& w) {
    for (HostId i = victim + 1; i < w.host_count(); ++i) w.start(i);
  });
  world.after(times.victim_comes, [this](World& w) { begin_life(w); });
  world.after(times.crash, [this](World& w) { hooks_.stop(w); });
  world.after(times.crash + kDown, [this](World& w) { begin_life(w); });
}

void SiegeCourse::begin_life(World& world) {
  hooks_.start(world);
  lives_.push_back({.since = world.now(), .met = {}});
  look(world, lives_.size());
  if (hooks_.begun) hooks_.begun(world);
}

void SiegeCourse::look(World& world, std::size_t life_number) {
  if (lives_.size() != life_number || !world.is_up(victim_)) return;
  SiegeLife& life = lives_.back();
  const SiegeLook seen = hooks_.look(world);
  const Duration age = world.now() - life.since;
  if (seen.somebody && !life.met) life.met = age;
  if (!seen.somebody && life.met) ++life.lost;
  if (age >= start_up_) {
    ++life.looks;
    if (seen.half) ++life.with_half;
    life.least_ours = std::min(life.least_ours, seen.ours);
    life.most_theirs = std::max(life.most_theirs, seen.theirs);
  }
  world.after(look_every_, [this, life_number](World& w) { look(w, life_number); });
}

void SiegeCourse::note_table(const kbucket::Table& table) {
  std::size_t all = 0;
  std::size_t theirs = 0;
  table.for_each([&](const kbucket::TableEntry& entry) {
    ++all;
    if (roster_->owns(entry.record->endpoint().ip)) ++theirs;
  });
  reached_.note("entries of the victim's table at its crash", all);
  reached_.note("of them the attacker's", theirs);
}

void SiegeCourse::note_met(std::string_view somebody, std::string_view nobody) {
  const auto& met = life().met;
  const std::string what =
      met ? fmt::format("{} within {} s", somebody, 10 * (1 + met->ns / seconds(10).ns))
          : std::string{nobody};
  reached_.note(fmt::format("life {}: {}", number(), what));
}

void SiegeCourse::note_identities() {
  reached_.note("identities that the attacker named", roster_->named());
}

}  // namespace ethnet::sim
