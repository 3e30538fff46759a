#include "keccak.hpp"

#include "keccak_lanes.hpp"

namespace ethnet::crypto {
namespace {

using lanes::States;
using lanes::Vector4;
using lanes::Vector8;
using lanes::Word;

// --- one state ---

void permute_portable(States<Word>& state) { lanes::permute(state); }

#if defined(__x86_64__)
// ANDN and RORX: a quarter faster.
__attribute__((target("bmi,bmi2"))) void permute_bmi(States<Word>& state) { lanes::permute(state); }
bool has_bmi() { return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"); }
bool has_avx2() { return __builtin_cpu_supports("avx2"); }
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
}
#endif

using Permute = void (*)(States<Word>&);

Permute best_permute() {
#if defined(__x86_64__)
  if (has_bmi()) return permute_bmi;
#endif
  return permute_portable;
}

// Absorbs `rest` to its end and gives the digest. The state is what came before.
Digest32 finish_one(Permute permute, States<Word>& state, ByteView rest) {
  while (rest.size() >= kKeccakRate) {
    lanes::absorb_block(state, 0, rest.first(kKeccakRate));
    permute(state);
    rest = rest.subspan(kKeccakRate);
  }
  lanes::absorb_last(state, 0, rest);
  permute(state);
  Digest32 out;
  lanes::squeeze(state, 0, out);
  return out;
}

void hash_one_by_one(Permute permute, std::span<const ByteView> in, std::span<Digest32> out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    States<Word> state;
    out[i] = finish_one(permute, state, in[i]);
  }
}

// --- several states ---

#if defined(__x86_64__)

// A batch on the lanes of V. Each turn absorbs one block into every busy lane and permutes all; a
// lane whose message ended takes the next one, so that short messages do not wait for long ones.
template <class V>
class Batch {
 public:
  Batch(std::span<const ByteView> in, std::span<Digest32> out) : in_{in}, out_{out} {
    for (Lane& lane : lanes_) take_next(lane);
  }

  [[nodiscard]] std::size_t busy() const { return busy_; }
  States<V>& states() { return states_; }

  // The next block of every lane. Good until the next call.
  [[nodiscard]] const lanes::Blocks<V>& next_blocks() {
    for (std::size_t l = 0; l < kLanes; ++l) {
      Lane& lane = lanes_[l];
      if (lane.busy && lane.rest.size() >= kKeccakRate) {
        blocks_[l] = lane.rest.first(kKeccakRate);
        lane.rest = lane.rest.subspan(kKeccakRate);
        continue;
      }
      // An idle lane absorbs what it did before: nobody looks at its state.
      if (lane.busy) lanes::pad_block(ends_[l], lane.rest);
      lane.ending = lane.busy;
      blocks_[l] = ends_[l];
    }
    return blocks_;
  }

  // After the permutation: takes the digests of the lanes that ended and gives them new messages.
  void turn_over() {
    std::size_t ended = 0;
    const std::size_t were_busy = busy_;
    std::array<bool, kLanes> clear{};
    for (std::size_t l = 0; l < lanes_.size(); ++l) {
      Lane& lane = lanes_[l];
      if (!lane.ending) continue;
      lanes::squeeze(states_, l, out_[lane.message]);
      clear[l] = true;
      ++ended;
      --busy_;
      take_next(lane);
    }
    if (busy_ == 0) return;
    if (ended == were_busy) {
      states_ = {};
      return;
    }
    for (std::size_t l = 0; l < lanes_.size(); ++l) {
      if (clear[l]) clear_lane(l);
    }
  }

  // The one lane that is still busy, with no message waiting, goes on alone: whole vectors would
  // be spent on it.
  void finish_alone() {
    for (std::size_t l = 0; l < lanes_.size(); ++l) {
      const Lane& lane = lanes_[l];
      if (!lane.busy) continue;
      States<Word> state;
      for (std::size_t i = 0; i < lanes::kWords; ++i) state.words[i][0] = states_.words[i][l];
      out_[lane.message] = finish_one(best_permute(), state, lane.rest);
    }
    busy_ = 0;
  }

 private:
  static constexpr std::size_t kLanes = lanes::kLanes<V>;
  struct Lane {
    ByteView rest;
    std::size_t message = 0;
    bool busy = false;
    bool ending = false;  // the padding is absorbed
  };

  void take_next(Lane& lane) {
    lane = {};
    if (next_ == in_.size()) return;
    lane.rest = in_[next_];
    lane.message = next_++;
    lane.busy = true;
    ++busy_;
  }

  void clear_lane(std::size_t l) {
    for (auto& row : states_.words) row[l] = 0;
  }

  std::span<const ByteView> in_;
  std::span<Digest32> out_;
  std::size_t next_ = 0;
  std::size_t busy_ = 0;
  std::array<Lane, kLanes> lanes_{};
  std::array<ByteArray<kKeccakRate>, kLanes> ends_{};  // padded last blocks
  lanes::Blocks<V> blocks_{};
  States<V> states_;
};

// The loop is a template of the permutation, since only that needs the target attribute.
template <class V>
void run_batch(void (*turn)(States<V>&, const lanes::Blocks<V>&), std::span<const ByteView> in,
               std::span<Digest32> out) {
  Batch<V> batch{in, out};
  while (batch.busy() > 1) {
    turn(batch.states(), batch.next_blocks());
    batch.turn_over();
  }
  if (batch.busy() == 1) batch.finish_alone();
}

__attribute__((target("avx2"))) void turn_avx2(States<Vector4>& states,
                                               const lanes::Blocks<Vector4>& blocks) {
  lanes::absorb_and_permute(states, blocks);
}
__attribute__((target("avx512f,avx512vl"))) void turn_avx512_x4(
    States<Vector4>& states, const lanes::Blocks<Vector4>& blocks) {
  lanes::absorb_and_permute(states, blocks);
}
__attribute__((target("avx512f"))) void turn_avx512_x8(States<Vector8>& states,
                                                       const lanes::Blocks<Vector8>& blocks) {
  lanes::absorb_and_permute(states, blocks);
}

#endif

}  // namespace

CpuFeatures cpu_features() {
#if defined(__x86_64__)
  return {has_bmi(), has_avx2(), has_avx512()};
#else
  return {};
#endif
}

KeccakKernel best_kernel(std::size_t count, CpuFeatures features) {
  if (count > 1 && features.avx512) {
    return count > lanes::kLanes<Vector4> ? KeccakKernel::avx512_x8 : KeccakKernel::avx512_x4;
  }
  if (count > 1 && features.avx2) return KeccakKernel::avx2_x4;
  return features.bmi ? KeccakKernel::bmi : KeccakKernel::portable;
}

Digest32 keccak256(ByteView data) {
  States<Word> state;
  return finish_one(best_permute(), state, data);
}

void Keccak256::update(ByteView more) {
  const Permute permute = best_permute();
  States<Word> state{std::bit_cast<std::array<lanes::Row<Word>, lanes::kWords>>(state_)};
  while (!more.empty()) {
    if (filled_ == 0 && more.size() >= kKeccakRate) {
      lanes::absorb_block(state, 0, more.first(kKeccakRate));
      more = more.subspan(kKeccakRate);
      permute(state);
      continue;
    }
    const std::size_t size = std::min(more.size(), kKeccakRate - filled_);
    for (const std::byte b : more.first(size)) lanes::absorb_byte(state, 0, filled_++, b);
    more = more.subspan(size);
    if (filled_ == kKeccakRate) {
      permute(state);
      filled_ = 0;
    }
  }
  state_ = std::bit_cast<decltype(state_)>(state.words);
}

Digest32 Keccak256::finish() {
  States<Word> state{std::bit_cast<std::array<lanes::Row<Word>, lanes::kWords>>(state_)};
  lanes::absorb_padding(state, 0, filled_);
  best_permute()(state);
  Digest32 out;
  lanes::squeeze(state, 0, out);
  *this = {};
  return out;
}

void keccak256_many(std::span<const ByteView> in, std::span<Digest32> out) {
  keccak256_many_on(best_kernel(in.size(), cpu_features()), in, out);
}

bool is_supported(KeccakKernel kernel) {
  switch (kernel) {
    case KeccakKernel::portable:
      return true;
#if defined(__x86_64__)
    case KeccakKernel::bmi:
      return has_bmi();
    case KeccakKernel::avx2_x4:
      return has_avx2();
    case KeccakKernel::avx512_x4:
    case KeccakKernel::avx512_x8:
      return has_avx512();
#else
    default:
      return false;
#endif
  }
  return false;
}

void keccak256_many_on(KeccakKernel kernel, std::span<const ByteView> in, std::span<Digest32> out) {
  CHECK(in.size() == out.size());
  CHECK(is_supported(kernel));
  switch (kernel) {
    case KeccakKernel::portable:
      return hash_one_by_one(permute_portable, in, out);
#if defined(__x86_64__)
    case KeccakKernel::bmi:
      return hash_one_by_one(permute_bmi, in, out);
    case KeccakKernel::avx2_x4:
      return run_batch<Vector4>(turn_avx2, in, out);
    case KeccakKernel::avx512_x4:
      return run_batch<Vector4>(turn_avx512_x4, in, out);
    case KeccakKernel::avx512_x8:
      return run_batch<Vector8>(turn_avx512_x8, in, out);
#else
    default:
      break;
#endif
  }
}

}  // namespace ethnet::crypto
