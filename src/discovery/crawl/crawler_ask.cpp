// The same questions over discv5 and discv4.
#include <utility>

#include <base/check.hpp>
#include <discovery/kbucket/distances.hpp>
#include <discovery/v4/engine/engine.hpp>
#include <discovery/v5/engine/engine.hpp>

#include "crawler.hpp"

namespace ethnet::crawl {
namespace {

using kbucket::NodeRecord;
using kbucket::RecordPort;

discv4::V4Node v4_node(const Contact& contact) {
  const auto key = contact.record != nullptr ? contact.record->public_key() : contact.key.value();
  return {key, contact.id, {contact.at.ip, contact.at.port, 0}};
}

// A table of discv5 ends where hardly a node is (kbucket/table.hpp).
std::vector<std::uint16_t> all_distances() {
  std::vector<std::uint16_t> out;
  for (std::uint16_t d = kbucket::kMaxDistance; out.size() < kbucket::kMaxDistances; --d) {
    out.push_back(d);
  }
  return out;
}

}  // namespace

std::uint64_t Crawler::ask_for_record(Now now, const Contact& contact) {
  if (config_.protocol == Protocol::v4) {
    return host_.v4()->request_record(now, v4_node(contact));
  }
  return contact.record == nullptr ? 0 : host_.v5()->request_record(now, contact.record);
}

// The visit ends where nothing is asked. It is answered for in the book already.
void Crawler::ask_for_others(Now now, Visit visit) {
  if (ended_) return;
  std::uint64_t command = 0;
  if (config_.protocol == Protocol::v4) {
    if (visit.questions == kVisitTargets) return;
    discv4::KeyBytes target{};
    rng_.fill(target);
    command = host_.v4()->find_node(now, v4_node(visit.contact), target);
  } else {
    if (visit.questions == 0) visit.distances = all_distances();
    if (visit.distances.empty() || visit.questions == kMaxVisitQuestions) return;
    command = host_.v5()->find_node(now, visit.contact.record, visit.distances);
  }
  if (command == 0) return;
  ++counters_.questions;
  ++visit.questions;
  visits_.emplace(command, std::move(visit));
}

void Crawler::on_event(Now now, const discovery::Event& event) {
  if (const auto* const of_v5 = std::get_if<discv5::Event>(&event)) {
    std::visit([&](const auto& e) { on(now, e); }, *of_v5);
  } else if (const auto* const of_v4 = std::get_if<discv4::Event>(&event)) {
    std::visit([&](const auto& e) { on(now, e); }, *of_v4);
  }
}

// --- discv5 ---

void Crawler::on(Now now, const discv5::NodesReceived& nodes) {
  auto visit = take_visit(nodes.call);
  if (!visit) return;
  if (visit->questions == 0) {
    RecordPtr own;
    for (const discv5::FoundRecord& found : nodes.records) {
      if (found.id == nodes.node) own = found.record;
    }
    return on_record(now, *std::move(visit), own);
  }
  for (const discv5::FoundRecord& found : nodes.records) {
    if (found.record != nullptr) tell(now, Contact::of(found.record));
  }
  // Where its answer was full it has more to tell.
  const bool is_full = nodes.records.size() >= discv5::kMaxAnswerRecords;
  visit->distances = is_full
                         ? kbucket::remaining_distances(
                               visit->distances, log_distance(nodes.node, nodes.records.back().id))
                         : std::vector<std::uint16_t>{};
  ask_for_others(now, *std::move(visit));
}

void Crawler::on(Now now, const discv5::CallFailed& failed) {
  const auto visit = take_visit(failed.call);
  if (visit && visit->questions == 0) on_silence(now, *visit);
}

void Crawler::on(Now now, const discv5::LookupDone& done) {
  for (const RecordPtr& record : done.nearest) tell(now, Contact::of(record));
  if (done.lookup == walk_) on_walk_done(now);
}

void Crawler::on(Now now, const discv5::NodeSeen& seen) { hear(now, seen.record); }

// --- discv4 ---

void Crawler::on(Now now, const discv4::RecordDone& done) {
  auto visit = take_visit(done.command);
  if (!visit) return;
  CHECK(visit->questions == 0);
  if (done.record == nullptr) return on_silence(now, *visit);
  on_record(now, *std::move(visit), NodeRecord::of(done.record, RecordPort::udp));
}

void Crawler::on(Now now, const discv4::NodesDone& done) {
  auto visit = take_visit(done.command);
  if (!visit) return;
  for (const discv4::V4Node& node : done.nodes) {
    tell(now, {node.id, node.at.endpoint(), nullptr, node.key});
  }
  if (done.answered) ask_for_others(now, *std::move(visit));
}

void Crawler::on(Now now, const discv4::LookupDone& done) {
  for (const discv4::V4Node& node : done.nearest) {
    tell(now, {node.id, node.at.endpoint(), nullptr, node.key});
  }
  if (done.command == walk_) on_walk_done(now);
}

void Crawler::on(Now now, const discv4::NodeSeen& seen) { hear(now, seen.record); }

}  // namespace ethnet::crawl
