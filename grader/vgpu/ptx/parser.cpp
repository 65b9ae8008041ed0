#include "ptx/parser.hpp"

#include <charconv>
#include <limits>
#include <unordered_map>

#include "ptx/cursor.hpp"
#include "ptx/declarations.hpp"
#include "ptx/function_parser.hpp"
#include "ptx/locations.hpp"
#include "ptx/operands.hpp"

namespace vgpu::ptx {
namespace {

class ModuleParser {
 public:
  explicit ModuleParser(std::string_view text) : cursor_(text), locations_(module_) {}

  Module parse() {
    if (!cursor_.accept_directive("version")) {
      cursor_.fail("this is not PTX: it does not start with .version");
    }
    parse_version();
    while (!cursor_.at(Token::Kind::End)) parse_directive();
    return std::move(module_);
  }

 private:
  void parse_version() {  // `9.0` is one token, a number
    const std::string_view text = cursor_.peek().text;
    const char* end = text.data() + text.size();
    const auto major = std::from_chars(text.data(), end, module_.version_major);
    if (major.ec == std::errc() && major.ptr != end && *major.ptr == '.') {
      const auto minor = std::from_chars(major.ptr + 1, end, module_.version_minor);
      if (minor.ec == std::errc() && minor.ptr == end) {
        cursor_.take();
        return;
      }
    }
    cursor_.fail_expected("a version such as 9.0");
  }

  void parse_target() {
    module_.target = cursor_.expect_word("a target such as sm_80");
    while (cursor_.accept(',')) cursor_.expect_word("an option of .target");
  }

  void parse_file() {
    constexpr uint64_t kLargest = std::numeric_limits<int>::max();
    const int index = static_cast<int>(cursor_.expect_unsigned("a file number", kLargest));
    if (!cursor_.at(Token::Kind::String)) cursor_.fail_expected("a file name in quotes");
    module_.files[index] = cursor_.take().text;
    while (cursor_.accept(',')) {  // time stamp and size
      cursor_.expect_unsigned("a number", std::numeric_limits<uint64_t>::max());
    }
  }

  void parse_directive() {
    if (!cursor_.at(Token::Kind::DotWord)) cursor_.fail_expected("a directive");
    const Token directive = cursor_.take();
    if (directive.text == "target") {
      parse_target();
    } else if (directive.text == "address_size") {
      if (cursor_.expect_unsigned("an address size", 64) != 64) {
        cursor_.fail("only .address_size 64 is supported: build for a 64-bit host");
      }
    } else if (directive.text == "file") {
      parse_file();
    } else if (directive.text == "section") {
      if (!cursor_.at(Token::Kind::DotWord)) cursor_.fail_expected("the name of a section");
      cursor_.take();
      cursor_.skip_section();
    } else if (directive.text == "pragma") {
      while (cursor_.at(Token::Kind::String) || cursor_.at(',')) cursor_.take();
      cursor_.expect(';', "a .pragma");
    } else if (directive.text == "alias") {
      const std::string_view alias = cursor_.expect_word("the name of an alias");
      cursor_.expect(',', "the name of an alias");
      module_.aliases[std::string(alias)] = cursor_.expect_word("a function");
      cursor_.expect(';', "an .alias");
    } else {
      parse_linked(directive);
    }
  }

  // A variable or a function with its linkage: `.visible .entry f`, `.extern .shared .b8 a[];`.
  void parse_linked(Token directive) {
    static const std::unordered_map<std::string_view, Linkage> kLinkages = {
        {"visible", Linkage::Visible},
        {"extern", Linkage::Extern},
        {"weak", Linkage::Weak},
        {"common", Linkage::Weak}};
    Linkage linkage = Linkage::Local;
    for (auto found = kLinkages.find(directive.text); found != kLinkages.end();
         found = kLinkages.find(directive.text)) {
      linkage = found->second;
      if (!cursor_.at(Token::Kind::DotWord)) cursor_.fail_expected("a variable or a function");
      directive = cursor_.take();
    }
    if (directive.text == "entry" || directive.text == "func") {
      parse_function(directive, linkage);
      return;
    }
    const Space space = space_from_name(directive.text);
    if (space != Space::Global && space != Space::Const && space != Space::Shared) {
      throw ParseError(directive.line, "directive " + quoted("." + std::string(directive.text)) +
                                           " is not supported here");
    }
    for (Declaration& declaration : parse_variables(cursor_, space, &initial_budget_)) {
      names_.insert(declaration.name);
      declaration.variable.linkage = linkage;
      module_.variables.push_back(std::move(declaration.variable));
    }
  }

  // One entry per function: a definition replaces its declarations, later declarations add nothing.
  void parse_function(const Token& directive, Linkage linkage) {
    const bool is_entry = directive.text == "entry";
    Function function = FunctionParser(cursor_, locations_, names_).parse(is_entry);
    function.linkage = linkage;
    const auto [index, is_new] =
        function_indices_.try_emplace(function.name, module_.functions.size());
    if (is_new) {
      module_.functions.push_back(std::move(function));
    } else if (!function.is_declaration) {
      Function& known = module_.functions[index->second];
      if (!known.is_declaration) {
        throw ParseError(directive.line, "function " + quoted(function.name) + " is defined twice");
      }
      known = std::move(function);
    }
  }

  static constexpr size_t kMostInitialBytes = size_t{256} << 20;

  Cursor cursor_;
  Module module_;
  LocationTable locations_;
  NameSet names_;
  std::unordered_map<std::string, size_t> function_indices_;
  size_t initial_budget_ = kMostInitialBytes;
};

}  // namespace

Module parse(std::string_view text) {
  return ModuleParser(text).parse();
}

}  // namespace vgpu::ptx
