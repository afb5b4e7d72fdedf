lscpu | grep -E 'Model name|L2|L3|^CPU\(s\)|Thread'
cd .dev; chmod +x step peak; ./peak
W="mlp lenet64 lenet8 rnn64 lstm64 lstm16 vgg lstm512"
for t in 1 2; do for r in 1 2; do for w in $W; do printf "T%d taut " $t; taskset -c 0-$((t-1)) ./step $w 1.2 $t; taskset -c 0-$((t-1)) python3 speed.py p $w $t | sed "s/^/T$t torch /"; done; done; done
for t in 4 8 16; do for w in $W; do printf "T%d taut " $t; ./step $w 1.0 $t; done; done
