// Package past is what images expect that were made for another init: programs that
// go by another name, and files that cannot work under this one.
package past
