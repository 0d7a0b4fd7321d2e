# SPDX-License-Identifier: Apache-2.0
# Derives the polynomial coefficients of compiler/ops/math_*.h, so that each can be checked and made
# again. Needs mpmath. Not run by the build: the sweep (ulp_sweep.cpp) is what proves the functions.
"""Weighted minimax polynomials by Remez exchange, with coefficients rounded one after the other.

A coefficient is rounded to its format, lowest power first, and the rest are fitted again around it,
so that the rounding of early coefficients is made good by later ones.
"""

from mpmath import mp, mpf, matrix, lu_solve, cos, pi, exp, log, erf, erfc, sqrt, atan, sin, sinh, cosh, tanh

mp.prec = 200


# Formats: float32, float64 on the way to float32, and float64 to its last bit.
FLOAT, DOUBLE, LAST = 24, 53, 54


def round_to(value, bits):
    with mp.workprec(min(bits, 53)):
        return +value


def remez(g, weight, a, b, powers, rounds=12, grid=1500):
    """Coefficients of x^powers closest to g on [a, b], and the largest weighted error."""
    count = len(powers) + 1
    a, b = mpf(a), mpf(b)
    middle, half = (a + b) / 2, (b - a) / 2
    xs = [middle - half * cos(pi * (i + mpf(1) / 2) / grid) for i in range(grid)]
    samples = [(x, g(x), weight(x)) for x in xs]
    usable = [s for s in samples if s[2] != 0]
    nodes = [usable[int((i + 0.5) * len(usable) / count)] for i in range(count)]
    best = None
    for _ in range(rounds):
        system, right = matrix(count, count), matrix(count, 1)
        for row, (x, value, w) in enumerate(nodes):
            for column, power in enumerate(powers):
                system[row, column] = w * x**power
            system[row, count - 1] = -1 if row % 2 else 1
            right[row] = w * value
        solution = lu_solve(system, right)
        coefficients = [solution[i] for i in range(len(powers))]
        errors = [w * (sum(c * x**p for c, p in zip(coefficients, powers)) - value)
                  for x, value, w in samples]
        worst = max(abs(e) for e in errors)
        if best is None or worst < best[1]:
            best = (coefficients, worst)
        peaks = []
        for sample, error in zip(samples, errors):
            if peaks and (error > 0) == (peaks[-1][0] > 0):
                if abs(error) > abs(peaks[-1][0]):
                    peaks[-1] = (error, sample)
            else:
                peaks.append((error, sample))
        while len(peaks) > count:
            peaks.pop(0 if abs(peaks[0][0]) < abs(peaks[-1][0]) else -1)
        if len(peaks) < count:
            break
        nodes = [sample for _, sample in peaks]
    return best


def fit(name, g, weight, a, b, powers, bits, fixed=None):
    """Prints the coefficients from the highest power to the lowest: the order of Horner's scheme."""
    powers = list(powers)
    done = dict(fixed or {})
    worst = None
    while powers:
        rest = lambda x: g(x) - sum(c * x**p for p, c in done.items())
        coefficients, worst = remez(rest, weight, a, b, powers)
        done[powers[0]] = round_to(coefficients[0], bits)
        powers.pop(0)
        if bits == DOUBLE:  # far below float32: rounding once is good enough
            for power, c in zip(powers, coefficients[1:]):
                done[power] = round_to(c, bits)
            powers = []
    values = [abs(weight(x) * (sum(c * x**p for p, c in done.items()) - g(x)))
              for x in (mpf(a) + (mpf(b) - mpf(a)) * (i + mpf(1) / 2) / 2000 for i in range(2000))]
    print(f"{name}: error 2^{float(log(max(values), 2)):.2f}")
    texts = []
    for power in sorted(done, reverse=True):
        mantissa, exponent = float(done[power]).hex().split("p")
        mantissa = mantissa.rstrip("0").rstrip(".") if bits == FLOAT else mantissa
        texts.append(f"{mantissa}p{exponent}{'f' if bits == FLOAT else ''}")
    print("  " + ", ".join(texts))


ln2 = log(2)


def taylor(f, x, series):
    """f(x), or its series where the closed form would cancel."""
    return series(x) if abs(x) < mpf(2) ** -20 else f(x)


def fits():
    r = ln2 / 2 * mpf("1.003")
    # e^x = 1 + x + x^2 p(x)
    exp_tail = lambda x: taylor(lambda t: (exp(t) - 1 - t) / t**2, x, lambda t: mpf(1) / 2 + t / 6 + t**2 / 24)
    yield "exp float", exp_tail, lambda x: x**2 / exp(x), -r, r, range(5), FLOAT
    # e^x - 1 = x + x^2 p(x), relative to e^x - 1
    yield "expm1 float", exp_tail, lambda x: taylor(lambda t: t**2 / (exp(t) - 1), x, lambda t: t), -r, r, range(6), FLOAT
    # tanh x = x + x^3 p(x^2)
    yield ("tanh float", lambda u: taylor(lambda t: (tanh(sqrt(t)) / sqrt(t) - 1) / t, u, lambda t: -mpf(1) / 3 + 2 * t / 15),
           lambda u: u / (tanh(sqrt(u)) / sqrt(u)), 0, mpf("0.626") ** 2, range(5), FLOAT)
    # ln(1+x) = x - x^2/2 + x^3 p(x)
    log_tail = lambda x: taylor(lambda t: (log(1 + t) - t + t**2 / 2) / t**3, x, lambda t: mpf(1) / 3 - t / 4 + t**2 / 5)
    yield ("log float", log_tail, lambda x: taylor(lambda t: t**3 / log(1 + t), x, lambda t: t**2),
           -mpf(1) / 3, mpf(1) / 3, range(8), FLOAT)
    # erf x = x + x p(x^2)
    yield ("erf small float", lambda u: erf(sqrt(u)) / sqrt(u) - 1, lambda u: 1 / (erf(sqrt(u)) / sqrt(u)),
           mpf(2) ** -60, mpf("0.928") ** 2, range(6), FLOAT)
    # ln(1 - erf x) = -x + x p(x)
    yield ("erf large float", lambda x: log(erfc(x)) / x + 1, lambda x: x * erfc(x) / erf(x),
           mpf("0.927"), mpf("4"), range(7), FLOAT)
    # e^x = 1 + x + x^2 p(x)
    yield "exp double", exp_tail, lambda x: x**2 / exp(x), -r, r, range(7), DOUBLE
    # ln((1+s)/(1-s)) = 2s + s^3 p(s^2)
    smax = (sqrt(mpf(2)) - 1) / (sqrt(mpf(2)) + 1) * mpf("1.001")
    yield ("log double", lambda u: taylor(lambda t: (log((1 + sqrt(t)) / (1 - sqrt(t))) / sqrt(t) - 2) / t, u,
                                          lambda t: mpf(2) / 3 + 2 * t / 5),
           lambda u: u / 2, 0, smax**2, range(5), DOUBLE)
    # sin x = x + x^3 p(x^2), cos x = 1 - x^2/2 + x^4 p(x^2), on [-pi/4, pi/4]
    q = (pi / 4 * mpf("1.001")) ** 2
    yield ("sin double", lambda u: taylor(lambda t: (sin(sqrt(t)) / sqrt(t) - 1) / t, u, lambda t: -mpf(1) / 6 + t / 120),
           lambda u: u, 0, q, range(4), DOUBLE)
    yield ("cos double", lambda u: taylor(lambda t: (cos(sqrt(t)) - 1 + t / 2) / t**2, u, lambda t: mpf(1) / 24 - t / 720),
           lambda u: u**2, 0, q, range(4), DOUBLE)
    # sinh x = x + x^3 p(x^2), cosh x = 1 + x^2/2 + x^4 p(x^2), on [-ln2/2, ln2/2]
    yield ("sinh double", lambda u: taylor(lambda t: (sinh(sqrt(t)) / sqrt(t) - 1) / t, u, lambda t: mpf(1) / 6 + t / 120),
           lambda u: u, 0, r**2, range(3), DOUBLE)
    yield ("cosh double", lambda u: taylor(lambda t: (cosh(sqrt(t)) - 1 - t / 2) / t**2, u, lambda t: mpf(1) / 24 + t / 720),
           lambda u: u**2, 0, r**2, range(3), DOUBLE)
    # atan x = x + x^3 p(x^2), on [0, tan(pi/8)]
    t8 = (sqrt(mpf(2)) - 1) * mpf("1.001")
    yield ("atan double", lambda u: taylor(lambda t: (atan(sqrt(t)) / sqrt(t) - 1) / t, u, lambda t: -mpf(1) / 3 + t / 5),
           lambda u: u, 0, t8**2, range(6), DOUBLE)
    # --- float64 ---
    # e^x - 1 = x + x^2 p(x), absolute: x^2 does the rest. Rounded at once, since powers from x on have a
    # zero within the interval, which this exchange cannot do.
    yield "exp64", exp_tail, lambda x: mpf(1), -r, r, range(11), DOUBLE
    # ln((1+s)/(1-s)) = 2s + s^3 p(s^2)
    atanh_tail = lambda u: taylor(lambda t: (log((1 + sqrt(t)) / (1 - sqrt(t))) / sqrt(t) - 2) / t, u,
                                  lambda t: mpf(2) / 3 + 2 * t / 5)
    yield "log64", atanh_tail, lambda u: u / 2, 0, smax**2, range(7), LAST
    # atanh(s) = s + s^3/3 + s^5 p(s^2)
    far = (sqrt(mpf(3) / 2) - 1) / (sqrt(mpf(3) / 2) + 1) * mpf("1.001")
    yield ("pow64", lambda u: taylor(lambda t: (atanh_tail(t) / 2 - mpf(1) / 3) / t, u, lambda t: mpf(1) / 5 + t / 7),
           lambda u: u**2, 0, far**2, range(6), LAST)
    # erf x = x + x p(x^2)
    yield ("erf64 small", lambda u: erf(sqrt(u)) / sqrt(u) - 1, lambda u: 1 / (erf(sqrt(u)) / sqrt(u)),
           mpf(2) ** -60, mpf("0.928") ** 2, range(12), LAST)
    # ln(1 - erf x) = -x + x p(x)
    yield ("erf64 large", lambda x: log(erfc(x)) / x + 1, lambda x: x * erfc(x) / erf(x),
           mpf("0.927"), mpf("6"), range(20), DOUBLE)
    yield ("sin64", lambda u: taylor(lambda t: (sin(sqrt(t)) / sqrt(t) - 1) / t, u, lambda t: -mpf(1) / 6 + t / 120),
           lambda u: u, 0, q, range(6), LAST)
    yield ("cos64", lambda u: taylor(lambda t: (cos(sqrt(t)) - 1 + t / 2) / t**2, u, lambda t: mpf(1) / 24 - t / 720),
           lambda u: u**2, 0, q, range(6), LAST)
    yield ("sinh64", lambda u: taylor(lambda t: (sinh(sqrt(t)) / sqrt(t) - 1) / t, u, lambda t: mpf(1) / 6 + t / 120),
           lambda u: u, 0, r**2, range(5), LAST)
    yield ("cosh64", lambda u: taylor(lambda t: (cosh(sqrt(t)) - 1 - t / 2) / t**2, u, lambda t: mpf(1) / 24 + t / 720),
           lambda u: u**2, 0, r**2, range(5), LAST)
    yield ("atan64", lambda u: taylor(lambda t: (atan(sqrt(t)) / sqrt(t) - 1) / t, u, lambda t: -mpf(1) / 3 + t / 5),
           lambda u: u, 0, t8**2, range(11), LAST)


def fit_tanh64():
    """tanh x = x + x u p(u) / q(u), u = x^2: p of degree 2, q of degree 3 and monic, by least squares of
    p - q g at Chebyshev's points, weighted again by what 1/q was."""
    g = lambda u: taylor(lambda t: (tanh(sqrt(t)) / sqrt(t) - 1) / t, u, lambda t: -mpf(1) / 3 + 2 * t / 15)
    top, count = mpf("0.626") ** 2, 200
    us = [top / 2 * (1 - cos(pi * (i + mpf(1) / 2) / count)) for i in range(count)]
    unknowns, q = 6, [mpf(1)] * count
    for _ in range(6):
        left, right = matrix(count, unknowns), matrix(count, 1)
        for row, u in enumerate(us):
            weight = u / q[row]
            for power in range(3):
                left[row, power] = weight * u**power
                left[row, 3 + power] = -weight * g(u) * u**power
            right[row] = weight * g(u) * u**3
        solution = lu_solve(left, right)
        q = [u**3 + sum(solution[3 + power] * u**power for power in range(3)) for u in us]
    p = [round_to(solution[power], LAST) for power in range(3)]
    q = [round_to(solution[3 + power], LAST) for power in range(3)]
    error = max(abs(u * (sum(c * u**i for i, c in enumerate(p)) / (u**3 + sum(c * u**i for i, c in enumerate(q)))
                         - g(u))) for u in us)
    print(f"tanh64: error 2^{float(log(error, 2)):.2f}")
    for name, values in (("p", p), ("q", q)):
        print(f"  {name}: " + ", ".join(float(c).hex() for c in reversed(values)))


if __name__ == "__main__":
    import sys

    wanted = sys.argv[1:]
    for arguments in fits():
        if not wanted or arguments[0] in wanted:
            fit(*arguments)
    if not wanted or "tanh64" in wanted:
        fit_tanh64()
