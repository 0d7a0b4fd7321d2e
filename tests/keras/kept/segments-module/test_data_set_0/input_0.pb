BxJU
 ¾SËK¿D*•¿cç¿