#include "fuzz/file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.hpp"

namespace certherd::fuzz {

File::File()
    : descriptor_(memfd_create("input", MFD_CLOEXEC)),
      path_("/proc/self/fd/" + std::to_string(descriptor_)) {
  expect(descriptor_ >= 0, "a file in memory can be made");
}

File::~File() { close(descriptor_); }

void File::write(std::string_view content) {
  expect(ftruncate(descriptor_, 0) == 0 && pwrite(descriptor_, content.data(), content.size(), 0) ==
                                               static_cast<ssize_t>(content.size()),
         "a file in memory can be written");
}

}  // namespace certherd::fuzz
