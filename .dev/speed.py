import sys,time
mode=sys.argv[1]; 
import numpy as np
rng=np.random.default_rng(0)
works=sys.argv[2].split(',')
def taut(w):
    sys.path.insert(0,'/work/main/build-dev'); import _core as c
    c.set_num_threads(2)
    n=c.Network(); 
    if w=='mlp': 
        e=n.add_input('i',[784]); e=n.add_dense('a',e,512,'relu'); e=n.add_dense('b',e,512,'relu'); e=n.add_dense('c',e,10,'softmax'); x=rng.normal(size=(128,784)); y=rng.integers(0,10,128)
    elif w.startswith('lenet'):
        B=int(w[5:]); e=n.add_input('i',[28,28,1]); e=n.add_conv('c1',e,32,[5,5],[1,1],'same','relu'); e=n.add_pool('p',e,'max',[2,2],[2,2],'valid'); e=n.add_conv('c2',e,64,[5,5],[1,1],'same','relu'); e=n.add_pool('p2',e,'max',[2,2],[2,2],'valid'); e=n.add_flatten('f',e); e=n.add_dense('d',e,128,'relu'); e=n.add_dense('c',e,10,'softmax'); x=rng.normal(size=(B,28,28,1)); y=rng.integers(0,10,B)
    elif w=='vgg':
        B=32; e=n.add_input('i',[32,32,3])
        for k,f in enumerate((64,64,0,128,128,0,256,256,0)):
            e = n.add_conv(f'c{k}',e,f,[3,3],[1,1],'same','relu') if f else n.add_pool(f'p{k}',e,'max',[2,2],[2,2],'valid')
        e=n.add_flatten('f',e); e=n.add_dense('d',e,256,'relu'); e=n.add_dense('c',e,10,'softmax'); x=rng.normal(size=(B,32,32,3)); y=rng.integers(0,10,B)
    else:
        kind,B,T,F,H,O=dict(lstm64=('l',64,128,32,128,10),rnn64=('r',64,128,32,128,10),lstm16=('l',16,64,8,32,4),lstm512=('ll',32,64,256,512,256))[w]
        e=n.add_input('i',[T,F])
        for k,q in enumerate(kind):
            e= n.add_simple_rnn(f'r{k}',e,H,'tanh',True,True) if q=='r' else n.add_lstm(f'r{k}',e,H,'tanh','sigmoid',True,True)
        e=n.add_dense('d',e,O,'softmax'); x=rng.normal(size=(B,T,F)); y=rng.integers(0,O,(B,T))
    n.finalize(e); n.compile('sparse_categorical_crossentropy',False,[])
    for i,p in enumerate(n.parameters): n.set(i, (rng.normal(size=p.shape)*0.05))
    X=[c.Source(x.astype('f4'))]; Y=c.Source(y); idx=np.arange(len(x))
    return lambda: n.train_step(X,Y,idx,None,0.01)
def tor(w):
    import torch; torch.set_num_threads(int(sys.argv[3])); nn=torch.nn; F_=torch.nn.functional
    class Seq(nn.Module):
        def __init__(s,kind,F,H,O):
            super().__init__(); s.r=(nn.RNN if kind=='r' else nn.LSTM)(F,H,num_layers=len(kind),batch_first=True); s.d=nn.Linear(H,O)
        def forward(s,x): return s.d(s.r(x)[0]).flatten(0,1)
    if w=='mlp': m=nn.Sequential(nn.Linear(784,512),nn.ReLU(),nn.Linear(512,512),nn.ReLU(),nn.Linear(512,10)); x=torch.randn(128,784); y=torch.randint(0,10,(128,))
    elif w.startswith('lenet'):
        B=int(w[5:]); m=nn.Sequential(nn.Conv2d(1,32,5,padding=2),nn.ReLU(),nn.MaxPool2d(2),nn.Conv2d(32,64,5,padding=2),nn.ReLU(),nn.MaxPool2d(2),nn.Flatten(),nn.Linear(3136,128),nn.ReLU(),nn.Linear(128,10)); x=torch.randn(B,1,28,28); y=torch.randint(0,10,(B,))
        m=m.to(memory_format=torch.channels_last); x=x.contiguous(memory_format=torch.channels_last)
    elif w=='vgg':
        l=[];c=3
        for f in (64,64,0,128,128,0,256,256,0):
            if f: l+=[nn.Conv2d(c,f,3,padding=1),nn.ReLU()]; c=f
            else: l+=[nn.MaxPool2d(2)]
        m=nn.Sequential(*l,nn.Flatten(),nn.Linear(4096,256),nn.ReLU(),nn.Linear(256,10)); x=torch.randn(32,3,32,32); y=torch.randint(0,10,(32,))
        m=m.to(memory_format=torch.channels_last); x=x.contiguous(memory_format=torch.channels_last)
    else:
        kind,B,T,F,H,O=dict(lstm64=('l',64,128,32,128,10),rnn64=('r',64,128,32,128,10),lstm16=('l',16,64,8,32,4),lstm512=('ll',32,64,256,512,256))[w]
        m=Seq(kind,F,H,O); x=torch.randn(B,T,F); y=torch.randint(0,O,(B*T,))
    opt=torch.optim.SGD(m.parameters(),0.01)
    def f():
        opt.zero_grad(set_to_none=True); F_.cross_entropy(m(x),y).backward(); opt.step()
    return f
for w in works:
    f=(taut if mode=='t' else tor)(w)
    for _ in range(5): f()
    ts=[]; t0=time.time()
    while time.time()-t0<2.5:
        a=time.perf_counter(); f(); ts.append(time.perf_counter()-a)
    ts=np.array(ts)*1e3
    print(f'{mode} {w:8s} median {np.median(ts):8.3f} min {ts.min():8.3f}',flush=True)
