// The das-lite engine by operations (das.cpp), and what a run came by.
#pragma once

#include <array>
#include <cstdint>

#include <base/bytes.hpp>
#include <protocol/das_lite/engine.hpp>

namespace ethnet::fuzz {

struct DasCounts {
  std::uint64_t operations = 0;
  std::uint64_t full_verdicts = 0;  // all that was drawn came
  std::uint64_t whole_gets = 0;
  std::array<std::uint64_t, 5> misbehaved{};  // by das_lite::Misbehaviour
  das_lite::Counters engine;
  das::StoreCounters store;
};

// Aborts where the engine breaks what it promises.
DasCounts run_das(ByteView operations);

}  // namespace ethnet::fuzz
