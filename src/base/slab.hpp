// Slab<T>: owns objects in slots that are reused; a Handle {index, generation} names one safely: a
// handle to an erased object finds nothing, also after the slot was reused. Iteration is by slot
// index, therefore deterministic.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "check.hpp"

namespace ethnet {

template <class Tag>
struct Handle {
  std::uint32_t index = UINT32_MAX;
  std::uint32_t generation = 0;
  [[nodiscard]] constexpr bool valid() const { return index != UINT32_MAX; }
  friend constexpr auto operator<=>(Handle, Handle) = default;
};

// Indices are given out by us, and densely: nobody can make them collide.
struct HandleHash {
  template <class Tag>
  [[nodiscard]] std::size_t operator()(Handle<Tag> handle) const {
    return (std::uint64_t{handle.generation} << 32U) | handle.index;
  }
};

template <class T, class Tag = T>
class Slab {
 public:
  using HandleType = Handle<Tag>;

  template <class... Args>
  HandleType emplace(Args&&... args) {
    const std::uint32_t index = take_slot();
    slots_[index].value.emplace(std::forward<Args>(args)...);
    ++size_;
    return {index, slots_[index].generation};
  }

  [[nodiscard]] T* find(HandleType handle) {
    if (handle.index >= slots_.size()) return nullptr;
    Slot& slot = slots_[handle.index];
    return slot.generation == handle.generation && slot.value ? &*slot.value : nullptr;
  }
  [[nodiscard]] const T* find(HandleType handle) const {
    if (handle.index >= slots_.size()) return nullptr;
    const Slot& slot = slots_[handle.index];
    return slot.generation == handle.generation && slot.value ? &*slot.value : nullptr;
  }

  // The object of a handle that is known to be good. CHECK: it is.
  [[nodiscard]] T& at(HandleType handle) {
    T* const found = find(handle);
    CHECK(found != nullptr);
    return *found;
  }

  // False when the handle names nothing.
  bool erase(HandleType handle) {
    if (find(handle) == nullptr) return false;
    Slot& slot = slots_[handle.index];
    slot.value.reset();
    ++slot.generation;
    free_.push_back(handle.index);
    --size_;
    return true;
  }

  // The handle of what is in this slot now; one that finds nothing when the slot is empty.
  [[nodiscard]] HandleType handle_at(std::uint32_t index) const {
    if (index >= slots_.size() || !slots_[index].value) return {};
    return {index, slots_[index].generation};
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // f(handle, object&) for each object. f may erase the object it is given, no other; it may not
  // add.
  template <class F>
  void for_each(F&& f) {
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].value) f(HandleType{i, slots_[i].generation}, *slots_[i].value);
    }
  }
  template <class F>
  void for_each(F&& f) const {
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].value) f(HandleType{i, slots_[i].generation}, *slots_[i].value);
    }
  }

 private:
  struct Slot {
    std::optional<T> value;
    std::uint32_t generation = 1;
  };

  std::uint32_t take_slot() {
    if (free_.empty()) {
      CHECK(slots_.size() < UINT32_MAX);
      slots_.emplace_back();
      return static_cast<std::uint32_t>(slots_.size() - 1);
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    return index;
  }

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace ethnet
