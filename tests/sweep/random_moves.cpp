// SPDX-License-Identifier: Apache-2.0
// Steps of a random graph that move elements, choose them or say where they are.
#include <algorithm>

#include "import/compose_scatter.h"
#include "random_generator.h"

namespace ingot::sweep {

ValueId Generator::concat(Composer& c) {
  const ValueId first = any();
  const auto axis = axis_of(first);
  if (!axis) return {};
  std::vector<ValueId> parts{first};
  const int count = 1 + below(3);
  for (int i = 0; i < count; ++i) {
    const ValueId other = any_that([&](const TensorType& t) {
      if (t.dtype != type(first).dtype || t.rank() != rank(first)) return false;
      for (std::size_t d = 0; d < t.rank(); ++d) {
        if (d != *axis && !(t.shape[d] == shape(first)[d])) return false;
      }
      return true;
    });
    parts.push_back(other);
  }
  Shape result = shape(first);
  for (std::size_t i = 1; i < parts.size(); ++i) result[*axis] += shape(parts[i])[*axis];
  return fits(result) ? c.concat(parts, *axis) : ValueId{};
}

ValueId Generator::slice(Composer& c) {
  const ValueId x = any();
  const auto axis = axis_of(x);
  if (!axis) return {};
  const Dim& size = shape(x)[*axis];
  const auto known = size.value();
  if (!known) {  // k or N: in Python's way, which clamps
    if (!chance(50)) return c.strided_slice(x, *axis, std::nullopt, std::nullopt, -1);
    return c.strided_slice(x, *axis, Dim(1), Dim(chance(50) ? -1 : 4), 1 + below(2));
  }
  if (*known == 0) return {};
  const std::int64_t start = below(static_cast<int>(*known));
  if (chance(25)) return c.select(x, *axis, start);
  if (chance(30)) {
    return c.strided_slice(x, *axis, Dim(start), std::nullopt, -1 - below(3));
  }
  const std::int64_t step = chance(70) ? 1 : 1 + below(4);
  const std::int64_t most = (*known - start + step - 1) / step;
  return c.slice(x, *axis, start, 1 + below(static_cast<int>(most)), step);
}

ValueId Generator::reshape(Composer& c) {
  const ValueId x = any();
  const std::size_t first = first_axis();
  Shape result(shape(x).begin(), shape(x).begin() + static_cast<std::ptrdiff_t>(first));
  const Shape rest(shape(x).begin() + static_cast<std::ptrdiff_t>(first), shape(x).end());
  switch (below(4)) {
    case 0:  // all in one
      result.push_back(product(rest));
      break;
    case 1:  // an axis of one somewhere
      result.insert(result.end(), rest.begin(), rest.end());
      result.insert(result.begin() + static_cast<std::ptrdiff_t>(first) +
                        below(static_cast<int>(rest.size()) + 1),
                    Dim(1));
      break;
    default: {  // what is known, cut differently
      std::int64_t known = 1;
      for (const Dim& dim : rest) {
        if (const auto value = dim.value()) {
          known *= *value;
        } else {
          result.push_back(dim);
        }
      }
      if (known == 0) return {};
      std::vector<std::int64_t> divisors;
      for (std::int64_t d = 1; d <= known; ++d) {
        if (known % d == 0) divisors.push_back(d);
      }
      const std::int64_t d = one_of(divisors);
      result.emplace_back(d);
      result.emplace_back(known / d);
    }
  }
  return fits(result) ? c.reshape(x, result) : ValueId{};
}

ValueId Generator::transpose(Composer& c) {
  const ValueId x = any();
  std::vector<std::int64_t> perm;
  for (std::size_t i = 0; i < rank(x); ++i) perm.push_back(static_cast<std::int64_t>(i));
  const std::size_t first = first_axis();
  if (rank(x) < first + 2) return {};
  std::shuffle(perm.begin() + static_cast<std::ptrdiff_t>(first), perm.end(), random_);
  return c.transpose(x, perm);
}

ValueId Generator::broadcast(Composer& c) {
  const ValueId x = any();
  if (rank(x) == 0 || rank(x) > 3) return {};
  const ValueId wide = c.unsqueeze(x, {1});
  Shape result = shape(wide);
  result[1] = second_ && chance(30) ? kSecond : Dim(1 + below(4));
  return fits(result) ? c.broadcast(wide, result) : ValueId{};
}

ValueId Generator::gather(Composer& c) {
  ValueId index = any_integer();
  if (index.valid() && chance(60)) {
    if (rank(index) > 3) return {};
    const std::int64_t size = 1 + below(12);
    std::vector<std::int64_t> sizes{size};
    if (chance(60)) sizes.push_back(width());
    Shape result = shape(index);
    if (sizes.size() == 2) result.emplace_back(sizes[1]);
    if (!fits(result)) return {};
    index = c.cast(index, chance(50) ? DType::i64 : DType::i32);
    index = c.op("mod_floor", {index, c.number(static_cast<double>(size), index)});
    const ValueId table = c.constant(random_constant(real_, std::move(sizes), 2));
    return c.op("gather", {table, index}, {{"axis", std::int64_t{0}}});
  }
  const ValueId x = any();
  const auto axis = axis_of(x);
  const auto size = axis ? shape(x)[*axis].value() : std::nullopt;
  if (!size || *size == 0) return {};
  std::vector<std::int64_t> sizes;
  for (int i = below(3); i > 0; --i) sizes.push_back(1 + below(6));
  Shape result(shape(x).begin(), shape(x).begin() + static_cast<std::ptrdiff_t>(*axis));
  for (const std::int64_t extent : sizes) result.emplace_back(extent);
  result.insert(result.end(), shape(x).begin() + static_cast<std::ptrdiff_t>(*axis) + 1,
                shape(x).end());
  if (result.empty() || !fits(result)) return {};
  Tensor chosen(DType::i64, sizes);
  for (std::int64_t i = 0; i < chosen.elements(); ++i)
    chosen.set(i, std::int64_t{below(static_cast<int>(*size))});
  return c.op("gather", {x, c.constant(std::move(chosen))},
              {{"axis", static_cast<std::int64_t>(*axis)}});
}

ValueId Generator::scatter(Composer& c) {
  const ValueId x = any_real();
  const std::size_t batch = first_axis();
  if (rank(x) <= batch) return {};
  const auto size = shape(x)[batch].value();
  if (!size || *size == 0) return {};
  const Shape entry(shape(x).begin() + static_cast<std::ptrdiff_t>(batch) + 1, shape(x).end());
  // Of a value of the right shape, or numbers for all rows alike.
  const std::int64_t count = 1 + below(5);
  Shape places(shape(x).begin(), shape(x).begin() + static_cast<std::ptrdiff_t>(batch));
  places.emplace_back(count);
  Shape updates = places;
  updates.insert(updates.end(), entry.begin(), entry.end());
  if (!fits(updates)) return {};
  const ValueId same =
      any_that([&](const TensorType& t) { return t.dtype == type(x).dtype && t.shape == updates; });
  const ValueId number = c.constant(random_constant(real_, {count}, 2));
  const ValueId from =
      same.valid() ? same : c.broadcast(c.align(number, batch, updates.size()), updates);
  const ValueId integer =
      any_that([&](const TensorType& t) { return is_integer(t.dtype) && t.shape == places; });
  ValueId index;
  if (integer.valid()) {
    index = c.cast(integer, DType::i64);
    index = c.op("mod_floor", {index, c.number(static_cast<double>(*size), index)});
  } else {
    Tensor chosen(DType::i32, {count});
    for (std::int64_t i = 0; i < count; ++i)
      chosen.set(i, static_cast<std::int32_t>(below(static_cast<int>(*size))));
    index = c.broadcast(c.constant(std::move(chosen)), places);
  }
  static const std::vector<std::string> reductions{"none", "sum", "max", "min"};
  return ingot::scatter(c, x, index, from, one_of(reductions), batch);
}

ValueId Generator::top_k(Composer& c) {
  const ValueId x = any();
  const auto axis = axis_of(x);
  if (!axis) return {};
  const Dim& size = shape(x)[*axis];
  const auto known = size.value();
  // Of a symbolic axis as many as there are, at most.
  const Dim few = 1 + below(5);
  const Dim k = known ? Dim(below(static_cast<int>(*known) + 1)) : Dim::min(size, few);
  const auto selected = ingot::top_k(c, x, *axis, k, chance(60));
  if (smooth_ || chance(50)) return selected.values;
  return selected.places;
}

ValueId Generator::one_hot(Composer& c) {
  const ValueId indices = any_integer();
  if (!indices.valid()) return {};
  const std::int64_t depth = 1 + below(12);
  Shape result = shape(indices);
  result.emplace_back(depth);
  if (!fits(result)) return {};
  return c.one_hot(indices, depth, c.scalar(real_, 1), c.scalar(real_, -0.5), rank(indices),
                   chance(50));
}

ValueId Generator::positions(Composer& c) {
  const ValueId x = any_real();
  if (smooth_) return {};
  const auto axis = axis_of(x);
  if (!axis) return {};
  if (chance(30)) return c.mul(x, c.size({shape(x)[*axis], Dim(3)}, real_));
  const ValueId index = c.op("iota", {},
                             {{"shape", Shape{shape(x)[*axis]}},
                              {"axis", std::int64_t{0}},
                              {"dtype", chance(50) ? DType::i64 : DType::i32}});
  return c.mul(x, c.cast(c.align(index, *axis, rank(x)), real_));
}
}  // namespace ingot::sweep
