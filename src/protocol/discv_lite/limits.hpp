// The bounds of discv-lite/0.1 on the wire and of its engine. What is asked of whom, and how often,
// is bounded in discovery/lite/limits.hpp. docs/LIMITS.md lists both.
#pragma once

#include <cstddef>
#include <cstdint>

#include <base/instant.hpp>
#include <discovery/lite/limits.hpp>
#include <types/enr.hpp>

namespace ethnet::discv_lite {

// On the wire (docs/spec/discv-lite.md). A Nodes payload: its records, the prefixes, the id.
inline constexpr std::size_t kMaxNodesBytes = lite::kMaxNodesPerAnswer * kMaxEnrBytes + 32;
inline constexpr std::size_t kMaxQuestionBytes = 128;  // every message but Nodes

// Requests of one peer: so many at once, then one each kRequestInterval. An honest one asks four
// things at once, and look-ups come back to a node once each.
inline constexpr std::int64_t kMaxRequestBurst = 32;
inline constexpr Duration kRequestInterval = milliseconds(500);
// Of one peer: our questions (kMaxQuestionsPerNode) and answers that it has not taken.
inline constexpr std::size_t kMaxQueuedPerPeer = 16;
// Questions of one peer whose time was over and whose late answer is no offence.
inline constexpr std::size_t kMaxLateAnswers = 16;

// Over all peers.
inline constexpr std::size_t kMaxOpenQuestions = 1024;  // four of each of 256 sessions
// Records that wait for the judgement of their signatures: 25 ms of one core.
inline constexpr std::size_t kMaxJudgingRecords = 512;
inline constexpr std::size_t kMaxEngineEvents = 8192;  // the node drains them after each input

inline constexpr Duration kQuestionTimeout = seconds(5);

}  // namespace ethnet::discv_lite
