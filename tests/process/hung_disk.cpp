// Preloaded into a node by a test: from the moment that a file appears, no fdatasync returns, as
// with a disk or a network file system that does not answer. Names come from
// ETHNET_TEST_DISK_HANGS.
#include <cstdlib>
#include <string>

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

extern "C" int fdatasync(int fd);

extern "C" int fdatasync(int fd) {
  using Function = int (*)(int);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "fdatasync"));
  const char* name = std::getenv("ETHNET_TEST_DISK_HANGS");
  if (name == nullptr || ::access(name, F_OK) != 0) return real(fd);
  const std::string now = std::string{name} + ".now";  // tells the test that it has begun
  ::close(::open(now.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  for (;;) ::pause();
}
