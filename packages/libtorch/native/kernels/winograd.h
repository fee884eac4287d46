// The transforms of Winograd's F(4, 3), which takes 6 products for 4 outputs of 3 taps: Lavin & Gray 2016, section 4.3.
#pragma once

#include "vectors.h"

namespace ronasmis {

namespace {

using at::vec::fmadd;

// Values of a transformed tile, and outputs that it stands for.
constexpr int64_t kPoints = 6;
constexpr int64_t kOutputs = 4;

// Of a tile of the input (their B).
inline void transform_input(const Vector (&d)[6], Vector (&t)[6]) {
  const Vector two(2.0F), four(4.0F), minus_four(-4.0F), minus_five(-5.0F);
  const Vector even = fmadd(minus_four, d[2], d[4]);
  const Vector odd = fmadd(minus_four, d[1], d[3]);
  const Vector even2 = d[4] - d[2];
  const Vector difference = d[3] - d[1];
  t[0] = fmadd(four, d[0], fmadd(minus_five, d[2], d[4]));
  t[1] = even + odd;
  t[2] = even - odd;
  t[3] = fmadd(two, difference, even2);
  t[4] = fmadd(-two, difference, even2);
  t[5] = fmadd(four, d[1], fmadd(minus_five, d[3], d[5]));
}

// Of the products, to the outputs (their A).
inline void transform_outputs(const Vector (&m)[6], Vector (&y)[4]) {
  const Vector two(2.0F), four(4.0F), eight(8.0F);
  const Vector sum1 = m[1] + m[2], difference1 = m[1] - m[2];
  const Vector sum2 = m[3] + m[4], difference2 = m[3] - m[4];
  y[0] = m[0] + sum1 + sum2;
  y[1] = fmadd(two, difference2, difference1);
  y[2] = fmadd(four, sum2, sum1);
  y[3] = fmadd(eight, difference2, difference1) + m[5];
}

// The outputs' transform, transposed: what their gradients become.
inline void transform_gradient(const Vector (&g)[4], Vector (&t)[6]) {
  const Vector two(2.0F), four(4.0F), eight(8.0F);
  const Vector even = g[0] + g[2], odd = g[1] + g[3];
  const Vector even2 = fmadd(four, g[2], g[0]), odd2 = fmadd(eight, g[3], two * g[1]);
  t[0] = g[0];
  t[1] = even + odd;
  t[2] = even - odd;
  t[3] = even2 + odd2;
  t[4] = even2 - odd2;
  t[5] = g[3];
}

// Of the taps of a kernel (their G).
inline void transform_kernel(const Vector& w0, const Vector& w1, const Vector& w2, Vector (&u)[6]) {
  const Vector quarter(1.0F / 4), sixth(1.0F / 6), twelfth(1.0F / 12), twentyfourth(1.0F / 24);
  const Vector even = -sixth * (w0 + w2), odd = -sixth * w1;
  const Vector even2 = fmadd(sixth, w2, twentyfourth * w0), odd2 = twelfth * w1;
  u[0] = quarter * w0;
  u[1] = even + odd;
  u[2] = even - odd;
  u[3] = even2 + odd2;
  u[4] = even2 - odd2;
  u[5] = w2;
}

// The kernel's transform, transposed.
inline void transform_kernel_gradient(const Vector (&u)[6], Vector (&w)[3]) {
  const Vector quarter(1.0F / 4), sixth(1.0F / 6), twelfth(1.0F / 12), twentyfourth(1.0F / 24);
  const Vector sum1 = u[1] + u[2], sum2 = u[3] + u[4];
  w[0] = fmadd(quarter, u[0], fmadd(twentyfourth, sum2, -sixth * sum1));
  w[1] = fmadd(sixth, u[2] - u[1], twelfth * (u[3] - u[4]));
  w[2] = fmadd(sixth, sum2 - sum1, u[5]);
}

}  // namespace

}  // namespace ronasmis
