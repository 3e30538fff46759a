#include "event_stream.hpp"

#include <utility>

#include "scope_messages.hpp"

namespace ethnet::observe {

EventStream::EventStream(EventLog& log, std::shared_ptr<StreamList> list, std::uint64_t after)
    : log_{log}, list_{std::move(list)}, after_{after} {}

void EventStream::begin() {
  self_ = shared_from_this();
  if (!list_->add(self_)) {
    return end({grpc::StatusCode::RESOURCE_EXHAUSTED, "too many event streams are open"});
  }
  StartSendInitialMetadata();  // the reader knows from now on that nothing is missed
  advance();
}

void EventStream::advance() { take(next_step()); }

void EventStream::end(const grpc::Status& status) {
  {
    const std::scoped_lock lock{mutex_};
    if (ending_) return;
    ending_ = true;
    status_ = status;
  }
  advance();
}

EventStream::Step EventStream::next_step() {
  const std::scoped_lock lock{mutex_};
  if (writing_ || finished_) return Step::none;
  if (ending_) {
    finished_ = true;
    return Step::finish;
  }
  LoggedEventPtr event = std::exchange(held_, nullptr);
  if (!event) {
    EventLog::Next next = log_.after(after_);
    if (!next.event) return Step::none;
    if (next.missed > 0) {
      ++list_->gaps;
      list_->missed += next.missed;
      to_gap(next, message_);
      held_ = std::move(next.event);
      writing_ = true;
      return Step::write;
    }
    event = std::move(next.event);
  }
  message_.Clear();
  to_message(*event, message_);
  after_ = event->cursor;
  writing_ = true;
  return Step::write;
}

void EventStream::take(Step step) {
  if (step == Step::write) StartWrite(&message_);
  if (step == Step::finish) Finish(status_);
}

void EventStream::OnWriteDone(bool ok) {
  {
    const std::scoped_lock lock{mutex_};
    writing_ = false;
    if (!ok && !ending_) {
      ending_ = true;
      status_ = grpc::Status::CANCELLED;
    }
  }
  advance();
}

void EventStream::OnCancel() { end(grpc::Status::CANCELLED); }

void EventStream::OnDone() {
  list_->remove(self_);
  const std::shared_ptr<EventStream> last = std::move(self_);  // dies when this returns
}

}  // namespace ethnet::observe
