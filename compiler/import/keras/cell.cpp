// SPDX-License-Identifier: Apache-2.0
#include "import/keras/cell.h"

#include "import/keras/rows.h"

namespace ingot::keras {

std::vector<Cell> Cell::read(LayerContext& n, const Layer& cell) {
  std::vector<Cell> cells;
  if (cell.class_name == "StackedRNNCells") {
    for (const Layer::Part& part : cell.parts) {
      std::vector<Cell> more = read(n, *part.layer);
      cells.insert(cells.end(), more.begin(), more.end());
    }
    if (cell.parts.empty()) n.invalid("its cell is a stack of none");
  } else if (cell.class_name == "SimpleRNNCell" || cell.class_name == "GRUCell" ||
             cell.class_name == "LSTMCell") {
    cells.push_back(Cell(n, cell));
  } else {
    n.unsupported(Refused::custom_op, "its cell '{}' is a {}, which is no standard cell", cell.name,
                  cell.class_name);
    n.advise("export a SavedModel, model.export(FOLDER), and give that folder");
  }
  return n.failed() ? std::vector<Cell>{} : cells;
}

Cell::Cell(LayerContext& n, const Layer& cell) : n_(&n), cell_(&cell) {
  const std::int64_t gates = lstm() ? 4 : gru() ? 3 : 1;
  kernel_ = n.variable(cell, "kernel", 2);
  recurrence_ = n.variable(cell, "recurrent_kernel", 2);
  if (n.failed()) return;
  units_ = n.shape(recurrence_)[0];
  if (n.shape(recurrence_)[1] != units_ * Dim(gates) ||
      n.shape(kernel_)[1] != units_ * Dim(gates)) {
    n.invalid("its kernels are {} and {}, for {} gates", str(n.shape(kernel_)),
              str(n.shape(recurrence_)), gates);
    return;
  }
  // The first version had only the other way, and said nothing.
  reset_after_ = gru() && cell.flag("reset_after", !n.keras2());
  if (cell.variable("bias") != nullptr) {
    bias_ = n.variable(cell, "bias", reset_after_ ? 2 : 1);
    if (n.failed()) return;
    if (n.shape(bias_).back() != units_ * Dim(gates) ||
        (reset_after_ && !n.shape(bias_)[0].is(2))) {
      n.invalid("its bias is {}, for {} gates", str(n.shape(bias_)), gates);
      return;
    }
    if (reset_after_) {
      recurrence_bias_ = n.select(bias_, 0, 1);
      bias_ = n.select(bias_, 0, 0);
    }
  }
  if (gru() && !reset_after_) {
    gates_ = n.slice(recurrence_, 1, 0, units_ * 2);
    candidate_ = n.slice(recurrence_, 1, units_ * 2, units_);
  }
}

ValueId Cell::activated(Composer& c, std::string_view key, ValueId x) const {
  static const Json tanh = "tanh", sigmoid = "sigmoid";
  const Json* activation = &cell_->setting(key);
  // What is not said is the default; no activation at all is called `linear`.
  if (activation->is_null()) activation = key == "activation" ? &tanh : &sigmoid;
  return activate(c, *activation, x, n_->keras2());
}

ValueId Cell::project(Composer& c, const Inside& inside, ValueId x) const {
  return c.matmul(x, inside(kernel_), bias_.valid() ? inside(bias_) : ValueId{});
}

ValueId Cell::gru_step(Composer& c, const Inside& inside, ValueId projected, ValueId h) const {
  auto part = [&](ValueId gates, std::int64_t number) {
    return c.slice(gates, 1, units_ * number, units_);
  };
  ValueId z, r, candidate;
  if (reset_after_) {
    const ValueId gates = c.matmul(h, inside(recurrence_),
                                   recurrence_bias_.valid() ? inside(recurrence_bias_) : ValueId{});
    z = activated(c, "recurrent_activation", c.add(part(projected, 0), part(gates, 0)));
    r = activated(c, "recurrent_activation", c.add(part(projected, 1), part(gates, 1)));
    candidate = activated(c, "activation", c.add(part(projected, 2), c.mul(r, part(gates, 2))));
  } else {
    const ValueId gates = c.matmul(h, inside(gates_));
    z = activated(c, "recurrent_activation", c.add(part(projected, 0), part(gates, 0)));
    r = activated(c, "recurrent_activation", c.add(part(projected, 1), part(gates, 1)));
    const ValueId reset = c.matmul(c.mul(r, h), inside(candidate_));
    candidate = activated(c, "activation", c.add(part(projected, 2), reset));
  }
  return c.add(c.mul(z, h), c.mul(c.sub(c.number(1, z), z), candidate));
}

std::vector<ValueId> Cell::step(Composer& c, const Inside& inside, ValueId projected,
                                const std::vector<ValueId>& states) const {
  const ValueId h = states[0];
  if (gru()) return {gru_step(c, inside, projected, h)};
  const ValueId sum = c.add(projected, c.matmul(h, inside(recurrence_)));
  if (!lstm()) return {activated(c, "activation", sum)};
  auto gate = [&](std::int64_t number, std::string_view key) {
    return activated(c, key, c.slice(sum, 1, units_ * number, units_));
  };
  const ValueId i = gate(0, "recurrent_activation"), f = gate(1, "recurrent_activation");
  const ValueId g = gate(2, "activation"), o = gate(3, "recurrent_activation");
  const ValueId memory = c.add(c.mul(f, states[1]), c.mul(i, g));
  return {c.mul(o, activated(c, "activation", memory)), memory};
}

}  // namespace ingot::keras
