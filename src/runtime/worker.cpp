#include "worker.hpp"

#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

namespace ethnet::runtime {

namespace asio = boost::asio;

Workers::Workers(asio::io_context& io, std::size_t job_threads, StoreWork store, JobDone job_done,
                 StoreDone store_done)
    : io_{io},
      jobs_{job_threads},
      store_{std::move(store)},
      job_done_{std::move(job_done)},
      store_done_{std::move(store_done)} {}

Workers::~Workers() {
  jobs_.join();
  store_thread_.join();
}

void Workers::run(Job job) {
  asio::post(jobs_, [this, owned = std::move(job)] {
    JobResult result{owned.id, owned.work()};
    asio::post(io_,
               [tell = job_done_, done = std::move(result)]() mutable { tell(std::move(done)); });
  });
}

void Workers::run(StoreOp op) {
  {
    const std::lock_guard lock{mutex_};
    ++store_pending_;
  }
  asio::post(store_thread_, [this, owned = std::move(op)] {
    const StoreResult result = store_(owned);
    asio::post(io_, [tell = store_done_, result] { tell(result); });
    const std::lock_guard lock{mutex_};
    if (--store_pending_ == 0) store_idle_.notify_all();
  });
}

std::size_t Workers::finish_store(Duration patience) {
  std::unique_lock lock{mutex_};
  (void)store_idle_.wait_for(lock, std::chrono::nanoseconds{patience.ns},
                             [this] { return store_pending_ == 0; });
  return store_pending_;
}

}  // namespace ethnet::runtime
