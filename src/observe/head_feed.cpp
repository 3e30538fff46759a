#include "head_feed.hpp"

#include <fmt/format.h>

namespace ethnet::observe {

void HeadFeed::update() {
  while (true) {
    const EventLog::Next next = log_.after(cursor_);
    if (!next.event) return;
    if (next.missed > 0) {
      head_.reset();
      added_last_.reset();
    }
    cursor_ = next.event->cursor;
    if (const auto* reorg = std::get_if<node::Reorganised>(&next.event->event)) {
      handle(*next.event, *reorg);
    } else if (const auto* moved = std::get_if<node::HeadMoved>(&next.event->event)) {
      handle(*moved);
    }
  }
}

void HeadFeed::handle(const LoggedEvent& event, const node::Reorganised& reorg) {
  if (event.part == 0) {
    added_last_ = reorg.fork_point;
  } else if (!added_last_) {
    return;  // what came before this part is lost
  }
  for (const Hash32& hash : reorg.added) {
    added_before_ = added_last_;
    added_last_ = hash;
  }
}

// A head that no reorganisation came before lies on the one before it.
void HeadFeed::handle(const node::HeadMoved& moved) {
  parent_.reset();
  if (added_last_ == moved.hash) {
    parent_ = added_before_;
  } else if (head_ && head_->number + 1 == moved.number) {
    parent_ = head_->hash;
  }
  added_last_.reset();
  head_ = moved;
  ++version_;
}

std::string HeadFeed::json() const {
  if (!head_) return {};
  const std::string parent =
      parent_ ? fmt::format(R"(,"parentHash":"{}")", parent_->hex()) : std::string{};
  return fmt::format(R"({{"number":"{:#x}","hash":"{}"{}}})", head_->number, head_->hash.hex(),
                     parent);
}

}  // namespace ethnet::observe
