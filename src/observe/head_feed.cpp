#include "head_feed.hpp"

#include <utility>

#include <base/check.hpp>
#include <fmt/format.h>

namespace ethnet::observe {

void HeadFeed::update() {
  while (true) {
    const EventLog::Next next = log_.after(cursor_);
    if (!next.event) return;
    cursor_ = next.event->cursor;
    if (const auto* moved = std::get_if<node::HeadMoved>(&next.event->event)) newest_ = *moved;
  }
}

std::optional<Hash32> HeadFeed::ask() {
  if (asked_ || !newest_) return std::nullopt;
  asked_ = std::exchange(newest_, std::nullopt);
  return asked_->hash;
}

void HeadFeed::tell(std::string header) {
  CHECK(asked_.has_value());
  json_ = !header.empty() ? std::move(header)
                          : fmt::format(R"({{"number":"{:#x}","hash":"{}"}})", asked_->number,
                                        asked_->hash.hex());
  asked_.reset();
  ++version_;
}

}  // namespace ethnet::observe
