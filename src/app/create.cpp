#include "app/create.hpp"

#include "base/versioned_folder.hpp"
#include "crypto/sealer.hpp"
#include "store/store.hpp"

namespace certherd::app {

namespace fs = std::filesystem;

Status create_folder(const fs::path& folder, std::string_view config_text) {
  const auto config = folder / "certherd.toml";
  const auto key = folder / "certherd.key";
  const auto state = folder / "state.db";
  for (const auto& path : {config, key, state}) {
    if (fs::exists(path)) {
      return fail(Error::Kind::conflict, "init",
                  path.string() + " is there already: nothing was changed");
    }
  }
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) return fail(file_error("init", folder, failure.value()));

  if (auto made = create_private_file(key, crypto::Sealer::new_key_text().reveal()); !made) {
    return made;
  }
  auto loop = runtime::make_event_loop();
  auto offload = runtime::make_inline_offload();
  const auto url = "sqlite:" + fs::absolute(state).lexically_normal().string();
  auto store = store::Store::open({.url = url, .create = true}, *offload, *offload, loop->clock());
  if (!store) return fail(std::move(store.error()));
  // Last, so that a config is only there when what it names is.
  return create_private_file(config, config_text);
}

}  // namespace certherd::app
