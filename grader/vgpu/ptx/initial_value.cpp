// Initial values of variables: `= 7`, `= {1, 2, 3}`, `= generic(x)+4`, `= {1, 0xFF(generic(x)),
// 0xFF00(generic(x)), ...}`.
#include <bit>

#include "ptx/declarations.hpp"

namespace vgpu::ptx {
namespace {

constexpr size_t kAddressSize = 8;

class InitialValue {
 public:
  InitialValue(Cursor& cursor, Variable& variable) : cursor_(cursor), variable_(variable) {}

  void parse(size_t* budget) {
    if (cursor_.accept('{')) {
      while (!cursor_.accept('}')) {
        if (!bytes().empty()) cursor_.expect(',', "an initial value");
        parse_element();
      }
      if (variable_.is_array && variable_.count == 0) {
        variable_.count = bytes().size() / size_of(variable_.type);
      }
    } else {
      parse_element();
    }
    if (masked_bytes_ != 0)
      cursor_.fail("an address in pieces (0xFF(x), 0xFF00(x), ...) is not complete");
    if (bytes().size() > variable_.size()) cursor_.fail("more initial values than elements");
    if (variable_.size() > *budget) {
      cursor_.fail(quoted(variable_.name) + " makes the module's initial values too large");
    }
    *budget -= variable_.size();
    bytes().resize(variable_.size());
  }

 private:
  std::vector<uint8_t>& bytes() { return variable_.initial; }

  void append(uint64_t bits, size_t size) {
    for (size_t i = 0; i < size; ++i)
      bytes().push_back(i < 8 ? static_cast<uint8_t>(bits >> 8 * i) : 0);
  }

  void parse_element() {
    if (cursor_.at(Token::Kind::Word)) {
      if (size_of(variable_.type) != kAddressSize) cursor_.fail("an address needs a 64-bit type");
      variable_.relocations.push_back(parse_address());
      append(0, kAddressSize);
      return;
    }
    const Number number = cursor_.expect_number("an initial value");
    if (cursor_.at('(')) {
      append_masked_address(number);
    } else {
      append_number(number);
    }
  }

  // `symbol`, `symbol+4`, `generic(symbol)+4`
  Variable::Relocation parse_address() {
    Variable::Relocation relocation;
    relocation.offset = bytes().size();
    relocation.symbol = cursor_.expect_word("a symbol");
    if (relocation.symbol == "generic" && cursor_.accept('(')) {
      relocation.generic = true;
      relocation.symbol = cursor_.expect_word("a symbol");
      cursor_.expect(')', "a symbol");
    }
    relocation.addend = cursor_.take_offset();
    return relocation;
  }

  // nvcc writes an address inside a packed struct as eight masked bytes: 0xFF(a), 0xFF00(a), ...
  void append_masked_address(const Number& mask) {
    cursor_.expect('(', "a mask");
    Variable::Relocation piece = parse_address();
    cursor_.expect(')', "a masked address");
    piece.offset -= masked_bytes_;
    if (size_of(variable_.type) != 1 || mask.kind != Number::Kind::Integer ||
        mask.bits != uint64_t{0xFF} << 8 * masked_bytes_) {
      cursor_.fail("a masked address must be written byte by byte, lowest byte first");
    }
    if (masked_bytes_ == 0) {
      variable_.relocations.push_back(piece);
    } else {
      const Variable::Relocation& first = variable_.relocations.back();
      if (first.offset != piece.offset || first.symbol != piece.symbol ||
          first.addend != piece.addend || first.generic != piece.generic) {
        cursor_.fail("the bytes of a masked address differ in their symbol");
      }
    }
    append(0, 1);
    masked_bytes_ = (masked_bytes_ + 1) % kAddressSize;
  }

  void append_number(const Number& number) {
    const size_t size = size_of(variable_.type);
    if (number.kind == Number::Kind::Integer) {
      if (variable_.type == Type::F32) {
        append(std::bit_cast<uint32_t>(static_cast<float>(static_cast<int64_t>(number.bits))),
               size);
      } else if (variable_.type == Type::F64) {
        append(std::bit_cast<uint64_t>(static_cast<double>(static_cast<int64_t>(number.bits))),
               size);
      } else {
        append(number.bits, size);
      }
      return;
    }
    const double value = number.kind == Number::Kind::Float64
                             ? std::bit_cast<double>(number.bits)
                             : double{std::bit_cast<float>(static_cast<uint32_t>(number.bits))};
    if (size == 4) {
      append(number.kind == Number::Kind::Float32
                 ? number.bits
                 : std::bit_cast<uint32_t>(static_cast<float>(value)),
             size);
    } else if (size == 8) {
      append(number.kind == Number::Kind::Float64 ? number.bits : std::bit_cast<uint64_t>(value),
             size);
    } else {
      cursor_.fail("a float literal needs a 32-bit or 64-bit type");
    }
  }

  Cursor& cursor_;
  Variable& variable_;
  size_t masked_bytes_ = 0;  // bytes of the masked address that is being written, 0 when none is
};

}  // namespace

void parse_initial_value(Cursor& cursor, Variable& variable, size_t* budget) {
  InitialValue(cursor, variable).parse(budget);
}

}  // namespace vgpu::ptx
