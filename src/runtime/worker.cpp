#include "worker.hpp"

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
  asio::post(store_thread_, [this, owned = std::move(op)] {
    const StoreResult result = store_(owned);
    asio::post(io_, [tell = store_done_, result] { tell(result); });
  });
}

}  // namespace ethnet::runtime
