package scoring

import "math"

// The two distributions that intervals and tests need, the normal and Student's
// t. Both are seen from two sides: the quantile of level 0.95 is the t for which
// 95% lie between -t and t, and the tail of t is the share beyond ±t.

// beyond is 1 - level, the share that lies outside. A level is meant as the
// decimal that it is written as, so 1 - 0.95 is 0.05 and not 0.050000000000000044.
func beyond(level float64) float64 { return math.Round((1-level)*1e12) / 1e12 }

// normalQuantile is 1.959963984540054 for the level 0.95. One step of Newton's
// method settles the last digits, which the inverse error function leaves open.
func normalQuantile(level float64) float64 {
	z := math.Sqrt2 * math.Erfinv(level)
	density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
	return z + (normalTail(z)-beyond(level))/(2*density)
}

// normalTail is the two-sided p-value of z.
func normalTail(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

// manyDegrees is where t is so close to normal that series around the normal
// distribution are exact to ten digits. Below it they are not; above it the
// logarithms of the gamma function are so large that their difference loses
// digits.
const manyDegrees = 1000

// studentTail is the two-sided p-value of t with the given degrees of freedom
// (1 or more, not necessarily whole).
func studentTail(t, degrees float64) float64 {
	if degrees > manyDegrees {
		return normalTail(studentToNormal(t, degrees))
	}
	below := degrees / (degrees + t*t)
	above := t * t / (degrees + t*t)
	return incompleteBeta(degrees/2, 0.5, below, above)
}

// studentToNormal turns t into the z that has the same tail (Hill, "Algorithm
// 395", Communications of the ACM 1970).
func studentToNormal(t, degrees float64) float64 {
	a := degrees - 0.5
	b := 48 * a * a
	w2 := a * math.Log1p(t*t/degrees)
	w := math.Sqrt(w2)
	return w + w*(w2+3)/b - w*(((4*w2+33)*w2+240)*w2+855)/(10*b*(b+0.8*w2*w2+100))
}

// studentQuantile is the t for which the level lies between -t and t.
func studentQuantile(level, degrees float64) float64 {
	z := normalQuantile(level)
	if degrees > manyDegrees {
		return studentFromNormal(z, degrees)
	}
	// Newton's method. The tail is convex and falling and z lies left of the
	// root, because t scatters more than the normal distribution: so each step
	// stays left of the root and comes nearer. 100 steps are far more than needed.
	t := z
	for range 100 {
		step := (studentTail(t, degrees) - beyond(level)) / (2 * studentDensity(t, degrees))
		t += step
		if step <= t*1e-15 {
			break
		}
	}
	return t
}

// studentFromNormal is the t that has the same tail as z, by Cornish and
// Fisher's series (Abramowitz and Stegun 26.7.5).
func studentFromNormal(z, degrees float64) float64 {
	z2 := z * z
	g1 := (z2 + 1) / 4
	g2 := ((5*z2+16)*z2 + 3) / 96
	g3 := (((3*z2+19)*z2+17)*z2 - 15) / 384
	g4 := ((((79*z2+776)*z2+1482)*z2-1920)*z2 - 945) / 92160
	return z * (1 + (g1+(g2+(g3+g4/degrees)/degrees)/degrees)/degrees)
}

func studentDensity(t, degrees float64) float64 {
	whole, _ := math.Lgamma((degrees + 1) / 2)
	half, _ := math.Lgamma(degrees / 2)
	return math.Exp(whole-half-(degrees+1)/2*math.Log1p(t*t/degrees)) / math.Sqrt(degrees*math.Pi)
}

// incompleteBeta is the regularised incomplete beta function I_x(a, b), with y
// = 1-x given too, so that no digits are lost where x is close to 1.
func incompleteBeta(a, b, x, y float64) float64 {
	if x <= 0 {
		return 0
	}
	if y <= 0 {
		return 1
	}
	// The fraction converges fast only below the mean; above it, use the other side.
	if x > (a+1)/(a+b+2) {
		return 1 - incompleteBeta(b, a, y, x)
	}
	sum, _ := math.Lgamma(a + b)
	first, _ := math.Lgamma(a)
	second, _ := math.Lgamma(b)
	return math.Exp(sum-first-second+a*math.Log(x)+b*math.Log(y)) / (a * betaFraction(a, b, x))
}

// betaFraction is the continued fraction 1 + d1/(1 + d2/(1 + …)) of the
// incomplete beta function (Abramowitz and Stegun 26.5.8), computed from the
// front by Lentz's method.
func betaFraction(a, b, x float64) float64 {
	const tiny = 1e-300 // stands for 0 in a denominator
	value, c, d := 1.0, 1.0, 0.0
	for i := 1; i <= 1000; i++ {
		m := float64(i / 2)
		term := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		if i%2 == 1 {
			term = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		}
		if d = 1 + term*d; d == 0 {
			d = tiny
		}
		if c = 1 + term/c; c == 0 {
			c = tiny
		}
		d = 1 / d
		value *= c * d
		if math.Abs(c*d-1) < 1e-15 {
			break
		}
	}
	return value
}
