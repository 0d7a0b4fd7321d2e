
;
xPlaceholder*
shape:ÿÿÿÿÿÿÿÿÿ*
dtype0

aSinx

bCosa

cTanb

dAsinc

eAcosd

fAtane

gSinhf

hCoshg

iAsinhh

jAcoshi

kAtanhj

lTanhk

mSigmoidl

nShapem*
dtype0

o
Reciprocaln

ySquareo$
"

f	
aRelu
bSub
cf"