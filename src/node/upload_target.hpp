// UploadTarget: how much of a day's upload is used up (--max-upload-target). A day begins with the
// node and is 24 h of its monotonic clock (NodeConfig::upload_day). Pure: the node says what has
// left it in all.
#pragma once

#include <cstdint>

#include <base/instant.hpp>

namespace ethnet::node {

class UploadTarget {
 public:
  // `bytes` a day; 0: no target.
  UploadTarget(std::uint64_t bytes, Duration day, Instant start)
      : limit_{bytes}, day_{day}, ends_{start + day} {}

  // `sent`: bytes since the start, of all that left. True when used_up() is another than before.
  bool update(Instant now, std::uint64_t sent) {
    if (limit_ == 0) return false;
    const bool before = used_up();
    if (now >= ends_) {
      // What left since the last update belongs to the day that begins: it is the less of the two.
      before_ = sent_;
      ends_ = ends_ + day_ * ((now - ends_).ns / day_.ns + 1);
    }
    sent_ = sent;
    if (!before && used_up()) ++reached_;
    return used_up() != before;
  }
  [[nodiscard]] bool used_up() const { return limit_ > 0 && used() >= limit_; }
  [[nodiscard]] std::uint64_t used() const { return sent_ - before_; }  // of this day
  [[nodiscard]] std::uint64_t limit() const { return limit_; }
  [[nodiscard]] std::uint64_t reached() const { return reached_; }  // days on which it was
  // When to call update() at the latest: serving begins again.
  [[nodiscard]] Instant next_deadline() const { return used_up() ? ends_ : Instant::never(); }

 private:
  std::uint64_t limit_;
  Duration day_;
  Instant ends_;
  std::uint64_t sent_ = 0;
  std::uint64_t before_ = 0;  // this day
  std::uint64_t reached_ = 0;
};

}  // namespace ethnet::node
