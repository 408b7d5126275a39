#include "notify/smtp/smtp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstring>

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "crypto/encoding.hpp"
#include "http/curl_trust.hpp"
#include "notify/curl_call.hpp"
#include "notify/smtp/message.hpp"
#include "notify/words.hpp"

namespace certherd::notify {
namespace {

using Kind = Error::Kind;

// A mail with more is read by nobody; the count stands in its subject.
constexpr std::size_t most_lines = 200;
constexpr std::size_t most_alarms = 100'000;
constexpr std::size_t most_words = 300;

constexpr std::array<std::string_view, 9> commands = {"EHLO", "HELO", "STARTTLS", "AUTH", "MAIL",
                                                      "RCPT", "DATA", "NOOP",     "QUIT"};

/// Each with what the server said: "RCPT TO:<a@b.example>: 550 no such user".
using Refused = std::vector<std::string>;

/// What the server said, as libcurl shows it line by line.
struct Conversation {
  std::string sent;       ///< the last command, without what it carried
  std::string recipient;  ///< the last command as a whole, if it was RCPT
  std::string said;       ///< the last line of the server
  Refused refused;

  void sends(std::string_view line) {
    recipient.clear();
    const auto word = line.substr(0, line.find_first_of(" \r\n"));
    // What follows AUTH is a line of its own, and a password.
    if (std::ranges::find(commands, word) == commands.end()) return;
    sent = word;
    if (word == "RCPT") recipient = line.substr(0, line.find_first_of("\r\n"));
  }
  void hears(std::string_view line) {
    if (sent == "QUIT") return;  // what matters was said before
    said = cleaned(line.substr(0, std::min(line.find_first_of("\r\n"), most_words)));
    const bool refuses = said.starts_with('4') || said.starts_with('5');
    if (!recipient.empty() && refuses) refused.push_back(fmt::format("{}: {}", recipient, said));
  }
};

int on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* conversation) {
  auto& talk = *static_cast<Conversation*>(conversation);
  const std::string_view line(data, size);
  if (type == CURLINFO_HEADER_OUT) talk.sends(line);
  if (type == CURLINFO_HEADER_IN) talk.hears(line);
  return 0;
}

/// What is left of a text that libcurl asks for in pieces.
std::size_t on_read(char* into, std::size_t size, std::size_t count, void* text) {
  auto& left = *static_cast<std::string_view*>(text);
  const auto piece = std::min(size * count, left.size());
  std::memcpy(into, left.data(), piece);
  left.remove_prefix(piece);
  return piece;
}

class Smtp final : public Notifier {
 public:
  Smtp(runtime::EventLoop& loop, SmtpOptions options)
      : loop_(loop),
        thread_(runtime::make_thread_offload(loop, 1)),
        options_(std::move(options)),
        place_(fmt::format("{}:{}", options_.host, options_.port)) {}

  Task<Status> send(Notice notice) override {
    smtp::Mail mail;
    mail.from = options_.from;
    mail.to = options_.to;
    mail.subject = headline(notice);
    mail.body = text_of(notice, most_lines);
    mail.id = id_of(notice);
    mail.date = notice.at;
    const auto text = smtp::text_of(mail);
    Result<Refused> refused;
    co_await run_stoppable(
        &loop_, thread_.get(),
        [this, &text, &refused](const std::atomic<bool>& stop) { refused = transfer(text, stop); });
    if (!refused) co_return fail(std::move(refused.error()));
    for (const auto& words : *refused) {
      log::warning("the mail server {} does not take a recipient: {}", place_, words);
    }
    co_return Status();
  }

  Task<Status> check() override {
    Result<Refused> done;
    co_await run_stoppable(&loop_, thread_.get(), [this, &done](const std::atomic<bool>& stop) {
      done = transfer({}, stop);
    });
    if (!done) co_return fail(std::move(done.error()));
    co_return Status();
  }

  std::size_t most_at_once() const override { return most_alarms; }

 private:
  static std::string id_of(const Notice& notice) {
    std::string all = fmt::format("{}", notice.notifications.empty() ? to_micros(notice.at) : 0);
    for (const auto& [id, alarm, over, attempts] : notice.notifications) {
      all += fmt::format(" {} {} {} {} {}", static_cast<std::int64_t>(id), over,
                         to_micros(alarm.since), alarm.key.domain, alarm.key.ca);
    }
    return crypto::hex(crypto::sha256(all)).substr(0, 32);
  }

  // On the thread, and gives who was refused. An empty text: the server is asked for nothing.
  Result<Refused> transfer(std::string_view text, const std::atomic<bool>& stop) const {
    const bool mailing = !text.empty();
    Conversation talk;
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(options_.timeout);
    const auto* const scheme = options_.tls_from_start ? "smtps" : "smtp";
    CurlCall call(fmt::format("{}://{}", scheme, place_), limit, &stop);
    const http::CurlTrust trust(options_.trust_pem);
    CURL* const easy = call.easy();
    trust.apply(easy);
    const bool in_the_open = !options_.tls_from_start && is_this_machine(options_.host);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_USE_SSL, in_the_open ? CURLUSESSL_NONE : CURLUSESSL_ALL);
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, &on_debug);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, &talk);
    if (!options_.user.empty()) {
      curl_easy_setopt(easy, CURLOPT_USERNAME, options_.user.c_str());
      curl_easy_setopt(easy, CURLOPT_PASSWORD, options_.password.reveal().c_str());
    }
    std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> recipients(nullptr,
                                                                           &curl_slist_free_all);
    if (mailing) {
      for (const auto& to : options_.to) {
        recipients.reset(curl_slist_append(recipients.release(), fmt::format("<{}>", to).c_str()));
      }
      curl_easy_setopt(easy, CURLOPT_MAIL_FROM, fmt::format("<{}>", options_.from).c_str());
      curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients.get());
      // Whoever can be told is told, whatever becomes of the others.
      curl_easy_setopt(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
      curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(easy, CURLOPT_READFUNCTION, &on_read);
      curl_easy_setopt(easy, CURLOPT_READDATA, &text);
    } else {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "NOOP");
    }
    const auto code = call.perform();
    if (code != CURLE_OK) return fail(failure(code, call.words(code), talk));
    return std::move(talk.refused);
  }

  Error failure(CURLcode code, const std::string& words, const Conversation& talk) const {
    const auto error = [this](Kind kind, std::string detail) {
      return fail(kind, "send mail by " + place_, std::move(detail)).value();
    };
    // A connection that broke off after a good answer was not refused anything.
    const bool refused = talk.said.starts_with('4') || talk.said.starts_with('5');
    switch (code) {
      case CURLE_LOGIN_DENIED:
        return error(Kind::denied, fmt::format("the server refuses the login ({}); look at user "
                                               "and password",
                                               refused ? talk.said : words));
      case CURLE_USE_SSL_FAILED:
        return error(Kind::misconfigured,
                     "the server offers no STARTTLS, and nothing is sent without TLS; take another "
                     "port, or smtps://");
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_ISSUER_ERROR:
        return error(Kind::rejected,
                     fmt::format("its TLS certificate is not trusted: {} (a private CA's root is "
                                 "added by `trust`)",
                                 words));
      case CURLE_OPERATION_TIMEDOUT:
        return error(Kind::deadline, fmt::format("it did not take the mail within {}",
                                                 format_duration(options_.timeout)));
      case CURLE_COULDNT_RESOLVE_HOST:
        return error(Kind::transient, fmt::format("could not resolve host {}", options_.host));
      case CURLE_COULDNT_CONNECT:
        return error(Kind::transient, fmt::format("no connection: {}", words));
      default:
        break;
    }
    if (!refused) return error(Kind::transient, fmt::format("the connection broke off: {}", words));
    return error(talk.said.starts_with('4') ? Kind::transient : Kind::rejected,
                 fmt::format("the server refuses {}: {}", talk.sent, talk.said));
  }

  runtime::EventLoop& loop_;
  std::unique_ptr<runtime::Offload> thread_;
  SmtpOptions options_;
  std::string place_;
};

}  // namespace

bool is_this_machine(const std::string& host) {
  if (host == "localhost") return true;
  std::string bare = host;
  if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(bare, error);
  return !error && address.is_loopback();
}

std::unique_ptr<Notifier> make_smtp(runtime::EventLoop& loop, SmtpOptions options) {
  return std::make_unique<Smtp>(loop, std::move(options));
}

}  // namespace certherd::notify
